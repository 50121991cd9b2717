# SPDX-License-Identifier: Apache-2.0
"""Load the policy files, and load them again when they change.

A change is noticed by a request, at most every ``LOOK_INTERVAL``, and loaded
by a thread that lives as long as that takes.  The thread is started by the
request, so it is in the right process, whether the WSGI server forks before or
after it loads the application.  The request waits for it, at most
``LOAD_TIMEOUT``.  Thus the first request after a long pause is decided by the
current rules, no request waits for a large file, and the thread runs even
under a server that lets threads run only during requests (uWSGI without
``threads``).  There is only one such thread at a time, so that a load that
started earlier never replaces a later one.
"""

import logging
import os
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from oslo_config import cfg
from oslo_policy import policy
from oslo_policy._checks import BaseCheck

from console_api import errors, policies
from console_api.policy import changes, check
from console_api.policy.files import Contents, PolicyFiles, ReadError
from console_api.policy.findings import Finding, Level, summarize
from console_api.policy.last_good import LastGood
from console_api.policy.state import Failure, State, out_of_date_since

if TYPE_CHECKING:
    from console_api.policy.files import Stamps

LOG = logging.getLogger(__name__)

#: Minimum interval, in seconds, between examinations of the policy files.
#: Each lets another thread run first, which costs a busy worker more than the
#: examination itself.
LOOK_INTERVAL = 0.5

#: Maximum time, in seconds, that a request waits for changed files.
LOAD_TIMEOUT = 1.0

# Maximum time, in seconds, that loading takes before it is reported.
_MAX_LOAD_TIME = 60.0

# Maximum number of findings in a log or an error message.
_MAX_LINES = 5
_MAX_WARNINGS = 20


class PolicyFileError(Exception):
    """The policy files cannot be used."""

    def __init__(
        self, findings: list[Finding], *, is_transient: bool = False
    ) -> None:
        """Create the error.

        :param is_transient: whether loading the same files may succeed later
        """
        self.lines = summarize(findings, _MAX_LINES)
        self.is_transient = is_transient
        super().__init__("\n".join(self.lines))


class LoadedEnforcer(policy.Enforcer):
    """oslo.policy's enforcer with rules that were loaded and checked here."""

    def load_rules(
        self,
        force_reload: bool = False,
    ) -> None:
        """Keep the rules; every decision calls this."""


class Loader:
    """Keeps an enforcer with the rules of the policy files.

    A worker that starts in the place of another continues with the rules of
    its predecessor, if the files are broken; see ``last_good``.

    ``enforcer`` is replaced when other rules are loaded.  ``failure`` says
    why the present files cannot be used, and is None if they are in use.
    """

    enforcer: policy.Enforcer
    failure: Failure | None

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        """Load the rules.

        :raises ConfigurationError: a policy file does not exist, cannot be
            read or is broken, and there are no rules of a predecessor
        """
        self.failure = None
        self._conf = conf
        self._files = PolicyFiles(conf)
        self._loaded = Contents()
        self._loaded_at = datetime.now(UTC)
        self._loaded_stamps: Stamps = {}
        self._findings: Counter[Level] = Counter()
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._next_look = self._started = 0.0
        self._is_loading = False
        self._failure_lock = threading.Lock()
        self._seen: Stamps = {}
        self._failed: Stamps = {}
        self._must_retry = False
        self._warnings: list[str] = []
        self._last_good = LastGood(self._files.file)
        is_resumed = self._resume()
        previous = (
            self.enforcer.rules if is_resumed else check.check([]).checks
        )
        error = self._try_to_load()
        if error is None:
            name = "the previous rules" if is_resumed else "the defaults"
            changes.log(previous, self.enforcer.rules, name)
        elif is_resumed:
            self._fail(error)
        else:
            raise errors.ConfigurationError(
                f"The policy cannot be loaded.\n{error}"
            ) from error

    @property
    def state(self) -> State:
        """The state of the policy files."""
        return State(self._loaded_at, self.failure, self._findings)

    def refresh(self) -> None:
        """Load the files if they have changed.

        Files that cannot be used leave the rules in force.
        """
        now = time.monotonic()
        if now < self._next_look:
            return
        if not self._lock.acquire(blocking=False):
            self._check_started(now)
            return
        self._next_look = now + LOOK_INTERVAL
        self._started = now
        thread = threading.Thread(
            target=self._reload, name="policy-loader", daemon=True
        )
        try:
            if not self._must_retry and self._files.stamps() == self._seen:
                self._lock.release()
                return
            self._is_loading = True
            thread.start()
        except Exception:
            self._is_loading = False
            # Such as RuntimeError for too many threads; the next look retries.
            self._lock.release()
            LOG.exception("The policy files cannot be loaded now.")
        else:
            thread.join(LOAD_TIMEOUT)

    def _check_started(self, now: float) -> None:
        """Report a load that does not end, such as on a dead file system."""
        message = "The policy files cannot be read within a minute."
        # Otherwise a load that ends now could be reported, and stay so.
        with self._failure_lock:
            is_new = (
                self._is_loading
                and now - self._started > _MAX_LOAD_TIME
                and self._note([message])
            )
        if is_new:
            LOG.error("%s The previous rules stay in force.", message)

    def _reload(self) -> None:
        """Load the files, in the thread."""
        if self._process != os.getpid():
            # The process was forked after the files were loaded.  Its
            # siblings may have loaded other rules since.
            self._process = os.getpid()
            self._resume()
        previous = self.enforcer.rules
        try:
            error = self._try_to_load()
            with self._failure_lock:
                self._is_loading = False
                if error is None:
                    self.failure = None
            if error:
                self._fail(error)
            else:
                LOG.info("Reloaded the policy files.")
                changes.log(
                    previous, self.enforcer.rules, "the previous rules"
                )
        except Exception:
            # A bug here must not prevent later loads.
            LOG.exception("The previous policy rules stay in force.")
            self._note(["The policy files cannot be loaded; see the log."])
        finally:
            self._lock.release()

    def _fail(self, error: PolicyFileError) -> None:
        self._must_retry = error.is_transient
        if self._note(error.lines):
            LOG.error("%s The previous rules stay in force.", error.lines[0])
            for line in error.lines[1:]:
                LOG.error("%s", line)

    def _note(self, lines: list[str]) -> bool:
        """Note a failure, and return whether it is not that of before."""
        previous, seen = self.failure, self._failed
        self._failed = self._seen
        self.failure = Failure(
            previous.since
            if previous
            else out_of_date_since(
                self._loaded_at, self._loaded_stamps, self._seen
            ),
            lines,
        )
        return not previous or previous.lines != lines or seen != self._seen

    def _resume(self) -> bool:
        """Continue with the rules of a predecessor, if there are any."""
        contents = self._last_good.read()
        if contents is None:
            return False
        checked = check.check_files(contents.files)
        if checked.broken:
            LOG.warning("%s", checked.broken[0])
            return False
        self.enforcer = make_enforcer(self._conf, checked.checks)
        self._loaded = contents
        self._loaded_at = self._last_good.written_at()
        return True

    def _try_to_load(self) -> PolicyFileError | None:
        """Load the files, and return why they cannot be used.

        oslo.log would repeat an error that is logged while it is handled.
        """
        try:
            self._load()
        except PolicyFileError as error:
            return error
        return None

    def _load(self) -> None:
        """Load the files.

        :raises PolicyFileError: they cannot be used
        """
        # Before the files are read, so that a later change is noticed.
        self._seen = stamps = self._files.stamps()
        self._must_retry = False
        try:
            contents = self._files.read()
        except ReadError as error:
            self._findings = Counter([error.finding.level])
            raise PolicyFileError(
                [error.finding], is_transient=True
            ) from error
        checked = check.check_files(contents.files)
        findings = [
            *self._files.lost(self._loaded, contents),
            *contents.findings,
            *checked.findings,
        ]
        self._findings = Counter(each.level for each in findings)
        broken = [each for each in findings if each.level is Level.BROKEN]
        if broken:
            raise PolicyFileError(broken)
        self._warn(findings)
        self.enforcer = make_enforcer(self._conf, checked.checks)
        self._loaded, self._loaded_stamps = contents, stamps
        self._loaded_at = datetime.now(UTC)
        self._last_good.write(
            contents, is_current=lambda: self._files.stamps() == stamps
        )

    def _warn(self, findings: list[Finding]) -> None:
        order = list(Level)
        shown = [each for each in findings if each.level is not Level.NOTE]
        shown.sort(key=lambda each: order.index(each.level))
        lines = summarize(shown, _MAX_WARNINGS)
        if lines != self._warnings:
            for line in lines:
                LOG.warning("%s", line)
        self._warnings = lines


def make_enforcer(
    conf: cfg.ConfigOpts, checks: dict[str, BaseCheck]
) -> policy.Enforcer:
    """Return an enforcer that decides by these checks, and no others."""
    enforcer = LoadedEnforcer(conf, use_conf=False)
    enforcer.register_defaults(policies.list_rules())
    # No rule replaces those that are not defined.
    enforcer.default_rule = None
    enforcer.set_rules(checks)
    return enforcer
