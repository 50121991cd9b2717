# SPDX-License-Identifier: Apache-2.0
"""The enforcer: may this caller do this to a server of that project?"""

import logging
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oslo_config import cfg
from oslo_context import context as oslo_context
from oslo_policy import _checks, policy

from console_api import conf as configuration
from console_api import errors, policies

LOG = logging.getLogger(__name__)

#: Seconds between two looks at the policy files. Each look lets another
#: thread run first, which a busy worker feels far more than its own time.
LOOK_INTERVAL = 0.5

# How many decisions are remembered before all of them are forgotten.
_MAX_DECISIONS = 10_000

# Checks whose outcome follows from rules, credentials and target alone.
# Others (http:, checks of third parties) may answer otherwise each time.
_PURE_CHECKS = (
    _checks.TrueCheck,
    _checks.FalseCheck,
    _checks.RoleCheck,
    _checks.RuleCheck,
    _checks.GenericCheck,
)

#: The policy files, each with its time, size and inode; None for what cannot
#: be looked at, as a dangling link.
Fingerprint = dict[Path, tuple[int, int, int] | None]


@dataclass(frozen=True, slots=True)
class _Rules:
    """The rules of one state of the policy files, and what they decided."""

    files: Fingerprint
    enforcer: policy.Enforcer
    pure: bool
    decisions: dict[tuple[Any, ...], bool] = field(default_factory=dict)


def check_scope(context: oslo_context.RequestContext) -> None:
    """Make sure that the caller's token is scoped to a project.

    All rules are about projects, so this is asked once and before anything
    is looked up: the answer tells nothing of what is there.

    :raises ProjectScopeRequired: it is scoped to something else
    """
    if context.system_scope:
        scope = "the system"
    elif context.domain_id:
        scope = "a domain"
    elif not context.project_id:
        scope = "nothing"
    else:
        return
    LOG.info("A token is refused that is scoped to %s.", scope)
    raise errors.ProjectScopeRequired(scope)


class Enforcer:
    """Decides by the policy files as they are at that moment.

    A decision is remembered for as long as neither the rules nor the
    caller's credentials nor the target differ.  An edit of a policy file
    counts within ``LOOK_INTERVAL``; one that cannot be read is logged, and
    the rules before it stay in force.  So do they when the policy file is
    removed, or any is emptied: the defaults may allow what it forbade.
    """

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        """Load the rules.

        :raises ConfigurationError: a policy file cannot be used
        """
        self._conf = conf
        self._paths = _policy_paths(conf)
        # Found here, once; oslo.policy would search other folders as well.
        policy_file, *policy_dirs = map(str, self._paths)
        conf.set_override("policy_file", policy_file, group="oslo_policy")
        conf.set_override("policy_dirs", policy_dirs, group="oslo_policy")
        self._next_look = 0.0
        self._seen = _fingerprint(self._paths)
        try:
            self._rules = self._load(self._seen)
        except _Unusable as error:
            raise errors.ConfigurationError(str(error)) from error

    def allows(
        self,
        context: oslo_context.RequestContext,
        rule: str,
        project_id: str | None,
    ) -> bool:
        """Tell whether a rule allows the caller to act on a project."""
        rules = self._current()
        key = (rule, project_id, *_credentials(context))
        allowed = rules.decisions.get(key)
        if allowed is None:
            allowed = _decide(rules.enforcer, context, rule, project_id)
            if rules.pure:
                if len(rules.decisions) >= _MAX_DECISIONS:
                    rules.decisions.clear()
                rules.decisions[key] = allowed
        return allowed

    def _current(self) -> _Rules:
        now = time.monotonic()
        if now < self._next_look:
            return self._rules
        self._next_look = now + LOOK_INTERVAL
        found = _fingerprint(self._paths)
        if found != self._seen:
            # Even if it cannot be used: said once, not with every request.
            self._seen = found
            try:
                self._check_kept(found)
                self._rules = self._load(found)
                LOG.info("The policy has changed and is loaded anew.")
            except _Unusable as error:
                LOG.error("%s The rules before it stay in force.", error)  # noqa: TRY400
        return self._rules

    def _check_kept(self, found: Fingerprint) -> None:
        """Check that no rules are gone by accident.

        A file that is removed from a policy folder is gone on purpose.
        """
        for path, stamp in self._rules.files.items():
            now = found.get(path)
            removed = path == self._paths[0] and path not in found
            emptied = stamp and now and stamp[1] and not now[1]
            if removed or emptied:
                raise _Unusable(
                    f"The policy file {path} is gone or empty. Put it back, "
                    "or restart the service to go on without it."
                )

    def _load(self, files: Fingerprint) -> _Rules:
        enforcer = _make_enforcer(self._conf)
        for path in files:
            _check_readable(path)
        try:
            enforcer.load_rules(force_reload=True)
        except Exception as error:
            # Whatever YAML and oslo.policy make of a malformed file.
            raise _Unusable(
                f"The policy cannot be loaded: {error}. Correct "
                f"{', '.join(map(str, self._paths))}."
            ) from error
        # Reloading is decided here, by fingerprint, not at each check.
        enforcer.use_conf = False
        return _Rules(
            files,
            enforcer,
            pure=all(map(_is_pure, enforcer.rules.values())),
        )


class _Unusable(Exception):
    """A policy file cannot be read or makes no sense."""


def get_enforcer() -> policy.Enforcer:
    """Return an enforcer for oslo.policy's command line tools."""
    return _make_enforcer(configuration.load(configuration.config_dir()))


def _make_enforcer(conf: cfg.ConfigOpts) -> policy.Enforcer:
    enforcer = policy.Enforcer(conf)
    enforcer.register_defaults(policies.list_rules())
    return enforcer


def _policy_paths(conf: cfg.ConfigOpts) -> list[Path]:
    beside = Path(conf.config_file[0]).parent
    policy_file = conf.oslo_policy.policy_file
    found = configuration.find_file(conf, policy_file)
    chosen = conf.get_location("policy_file", "oslo_policy")
    if found is None and chosen and chosen.location.is_user_controlled:
        raise errors.ConfigurationError(
            f"[oslo_policy] policy_file: {policy_file} is not there. Create "
            "it or remove the option."
        )
    names = conf.oslo_policy.policy_dirs
    return [
        found or beside / policy_file,
        *(
            configuration.find_file(conf, name) or beside / name
            for name in names
        ),
    ]


def _policy_files(paths: list[Path]) -> list[Path]:
    """Return the policy files in the order in which they count.

    What is in the place of one, as a folder or a dangling link, is among
    them, to be refused as a file that cannot be read.
    """
    policy_file, *folders = paths
    files = [policy_file]
    for folder in folders:
        try:
            files += sorted(
                entry
                for entry in folder.iterdir()
                if entry.name[0] != "." and not entry.is_dir()
            )
        except OSError:
            # It is not there, or no folder that can be listed.
            files.append(folder)
    return [path for path in files if os.path.lexists(path)]


def _check_readable(path: Path) -> None:
    try:
        path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise _Unusable(
            f"The policy file {path} cannot be read: {error}."
        ) from error


def _fingerprint(paths: list[Path]) -> Fingerprint:
    return {path: _stamp(path) for path in _policy_files(paths)}


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def _is_pure(check: Any) -> bool:
    if isinstance(check, _checks.AndCheck | _checks.OrCheck):
        return all(map(_is_pure, check.rules))
    if isinstance(check, _checks.NotCheck):
        return _is_pure(check.rule)
    return type(check) in _PURE_CHECKS


def _credentials(context: oslo_context.RequestContext) -> tuple[Any, ...]:
    return (
        context.user_id,
        context.user_domain_id,
        context.system_scope,
        context.domain_id,
        context.project_id,
        context.project_domain_id,
        tuple(context.roles),
        context.is_admin_project,
        context.service_user_id,
        context.service_user_domain_id,
        context.service_project_id,
        context.service_project_domain_id,
        tuple(context.service_roles),
    )


def _decide(
    enforcer: policy.Enforcer,
    context: oslo_context.RequestContext,
    rule: str,
    project_id: str | None,
) -> bool:
    credentials = dict(context.to_policy_values())
    target = {"project_id": project_id}
    try:
        # As policy files written for Nova expect: what `is_admin:True` asks.
        credentials["is_admin"] = bool(
            enforcer.enforce("context_is_admin", target, dict(credentials))
        )
        return bool(enforcer.enforce(rule, target, credentials))
    except Exception as error:  # noqa: BLE001 (oslo.policy raises anything)
        # Rules that refer to each other in a circle, checks of third parties
        # that fail: what cannot be decided is refused.
        LOG.error(  # noqa: TRY400 (a circle's traceback is endless)
            "The policy rule %s cannot be evaluated, so it refuses: %s. Do "
            "its rules refer to each other in a circle?",
            rule,
            error,
        )
        return False
