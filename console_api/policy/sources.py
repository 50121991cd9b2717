# SPDX-License-Identifier: Apache-2.0
"""The policies that tools examine: of a configuration, of a file, defaults."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from oslo_config import cfg
from oslo_policy import opts as policy_opts
from oslo_policy._checks import BaseCheck

from console_api import conf as configuration
from console_api import errors
from console_api.conf import policy as defaults
from console_api.policy import check
from console_api.policy.decisions import Decisions
from console_api.policy.files import (
    MAX_SIZE,
    Contents,
    PolicyFiles,
    ReadError,
)
from console_api.policy.findings import Finding, Level, summarize
from console_api.policy.loader import make_enforcer
from console_api.policy.outside import OutsideChecks
from console_api.policy.rules import Policy

#: The name of the policy without any files.
DEFAULTS = "defaults"

# Maximum number of findings in an error message.
_MAX_LINES = 20

# Maximum number of decisions that wait for other servers: one.
_MAX_OUTSIDE = 1


class BrokenPolicy(errors.ConsoleAPIError):
    """The service does not use these policy files."""

    def __init__(self, name: str, findings: list[Finding]) -> None:
        """Create the error.

        :param findings: those for which the service refuses the files
        """
        lines = summarize(findings, _MAX_LINES)
        super().__init__(
            "\n".join([f"The service does not use {name}:", *lines])
        )
        self.findings = findings


@dataclass(frozen=True, slots=True)
class Source:
    """A policy that the service accepts.

    ``name`` is for people: where the rules come from.
    """

    name: str
    policy: Policy
    conf: cfg.ConfigOpts

    @property
    def checks(self) -> Mapping[str, BaseCheck]:
        """The checks of our rules and of all rules that they reference."""
        return self.policy.checks

    def decisions(self) -> Decisions:
        """Return decisions by these rules, as the service makes them."""
        return Decisions(
            make_enforcer(self.conf, self.policy.checks),
            OutsideChecks(_MAX_OUTSIDE, self.conf.oslo_policy.remote_timeout),
        )

    def place(self, rule: str) -> str:
        """Return where a rule is defined: ``FILE:LINE``, or ``default``."""
        found = self.policy.file_rules.get(rule)
        return f"{found.path}:{found.line}" if found else "default"


def load(text: str) -> Source:
    """Return the policy that an argument names.

    :param text: a policy file, a configuration folder, or ``defaults``
    :raises BrokenPolicy: the service would not use it
    :raises ConfigurationError: the configuration cannot be used
    :raises OSError: a file cannot be read
    """
    if text == DEFAULTS:
        return _source("the defaults", {}, _bare_conf())
    path = Path(text)
    if path.is_dir():
        return of_conf(configuration.load(path))
    return _source(text, {path: read(path)}, _bare_conf())


def of_conf(conf: cfg.ConfigOpts) -> Source:
    """Return the policy of a configuration, as a service that starts would.

    :raises BrokenPolicy: the service would not use it
    """
    files = PolicyFiles(conf)
    contents = _contents(files)
    broken = [each for each in contents.findings if each.level is Level.BROKEN]
    if broken:
        raise BrokenPolicy(str(files.file), broken)
    return _source(str(files.file), contents.files, conf)


def with_pending(conf: cfg.ConfigOpts, pending: Path) -> Source:
    """Return the policy of a configuration once its policy file is replaced.

    The files in the policy directories stay.

    :param pending: the file that replaces ``policy.yaml``
    :raises BrokenPolicy: the service would not use it
    :raises OSError: it cannot be read
    """
    files = PolicyFiles(conf)
    others = dict(_contents(files).files)
    others.pop(files.file, None)
    # Those in the directories override it.
    return _source(str(pending), {pending: read(pending), **others}, conf)


def _contents(files: PolicyFiles) -> Contents:
    try:
        return files.read()
    except ReadError as error:
        raise BrokenPolicy(str(files.file), [error.finding]) from error


def _source(
    name: str, files: Mapping[Path, bytes], conf: cfg.ConfigOpts
) -> Source:
    policy = check.check_files(files)
    if policy.broken:
        raise BrokenPolicy(name, policy.broken)
    return Source(name, policy, conf)


def read(path: Path) -> bytes:
    """Return the content of a file, which may be a pipe.

    :raises OSError: it cannot be read, or is too large
    """
    with path.open("rb") as file:
        data = file.read(MAX_SIZE + 1)
    if len(data) > MAX_SIZE:
        raise OSError(None, f"It exceeds {MAX_SIZE} bytes", str(path))
    return data


def _bare_conf() -> cfg.ConfigOpts:
    """Return the options of rules without a configuration."""
    conf = cfg.ConfigOpts()
    policy_opts.set_defaults(conf)
    conf.set_default("remote_timeout", defaults.REMOTE_TIMEOUT, defaults.GROUP)
    conf(args=[], default_config_files=[], default_config_dirs=[])
    return conf
