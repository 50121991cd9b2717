# SPDX-License-Identifier: Apache-2.0
"""The enforcer of oslo.policy's command line tools."""

import json
import logging
import tempfile
from typing import cast

import yaml
from oslo_config import cfg
from oslo_policy import opts, policy

from console_api import policies
from console_api.policy import check
from console_api.policy.files import PolicyFiles
from console_api.policy.findings import Finding, Level, summarize
from console_api.policy.reader import Rule

LOG = logging.getLogger(__name__)

# Maximum number of findings that are reported.
_MAX_LINES = 100

# Logs the tracebacks of malformed checks, which are those of other services.
_PARSER = "oslo_policy._parser"


class ToolEnforcer(policy.Enforcer):
    """Reads the same files as the service.

    In contrast to the service, it keeps the rules of other services, because
    the tools show them.
    """

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        """Find the files."""
        super().__init__(conf)
        logging.getLogger(_PARSER).setLevel(logging.CRITICAL)
        self.register_defaults(policies.list_rules())
        self._files = PolicyFiles(conf)
        self._findings: list[Finding] = []

    def load_rules(
        self,
        force_reload: bool = False,  # noqa: ARG002 (the signature of oslo.policy)
    ) -> None:
        """Read the files.

        :raises SystemExit: the service would refuse them; with the findings
        """
        contents = self._files.examine()
        checked = check.check_files(contents.files)
        findings = [
            *(each.finding for each in contents.failures),
            *contents.findings,
            *checked.findings,
        ]
        self._findings = [e for e in findings if e.level is not Level.NOTE]
        if any(each.level is Level.BROKEN for each in self._findings):
            raise SystemExit("\n".join(summarize(self._findings, _MAX_LINES)))
        self.file_rules = {
            rule.name: policy.RuleDefault(rule.name, _text(rule))
            for rule in checked.file_rules.values()
        }
        rules = self.registered_rules | self.file_rules
        self.set_rules({name: rule.check for name, rule in rules.items()})

    def check_rules(
        self,
        raise_on_violation: bool = False,  # noqa: ARG002 (oslo.policy's)
    ) -> bool:
        """Log the findings about the files.

        Then the validator looks for rules that are unknown or malformed, but
        the findings are about those as well, and rules of other services are
        neither.

        :returns: whether there are no errors
        """
        for line in summarize(self._findings, _MAX_LINES):
            LOG.warning("%s", line)
        self.registered_rules |= self.file_rules
        self._provide_file()
        return not any(e.level is Level.ERROR for e in self._findings)

    def _provide_file(self) -> None:
        """Write the rules of all files to the one that the validator reads.

        The validator finds it by the global configuration.  The file is
        deleted with this object.
        """
        self._file = tempfile.NamedTemporaryFile(  # noqa: SIM115 (see above)
            "w", suffix=".yaml", encoding="utf-8"
        )
        texts = {name: str(self.rules[name]) for name in self.file_rules}
        yaml.safe_dump(texts, self._file)
        self._file.flush()
        opts.set_defaults(cfg.CONF)
        cfg.CONF.set_override("policy_file", self._file.name, "oslo_policy")


class _Text(str):
    """The text of a check, which the tools print in quotation marks."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        """Return the text as it is within quotation marks in YAML."""
        return json.dumps(self, ensure_ascii=False)[1:-1]


def _text(rule: Rule) -> str:
    """Return the check as text, which all tools expect."""
    if isinstance(rule.value, str):
        return _Text(rule.value)
    # oslo.policy accepts both, but only text is in its types.
    value = cast("str", rule.value)
    return _Text(policy.RuleDefault(rule.name, value).check)
