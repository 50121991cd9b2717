# SPDX-License-Identifier: Apache-2.0
"""The enforcer of oslo.policy's command line tools."""

import logging
import tempfile
from typing import cast

import yaml
from oslo_config import cfg
from oslo_policy import opts, policy

from console_api import policies
from console_api.policy import check, reader
from console_api.policy.files import PolicyFiles, ReadError
from console_api.policy.findings import Level, summarize
from console_api.policy.reader import Document, Rule

LOG = logging.getLogger(__name__)

# Maximum number of findings in an error message, and in a report.
_MAX_LINES = 5
_MAX_REPORTED = 100


class ToolEnforcer(policy.Enforcer):
    """Reads the same files as the service.

    In contrast to the service, it keeps malformed checks and rules of other
    services, because the tools show them.
    """

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        """Find the files."""
        super().__init__(conf)
        self.register_defaults(policies.list_rules())
        self._files = PolicyFiles(conf)
        self._documents: list[Document] = []

    def load_rules(
        self,
        force_reload: bool = False,  # noqa: ARG002 (the signature of oslo.policy)
    ) -> None:
        """Read the files.

        :raises SystemExit: a file does not exist, cannot be read or is
            broken; with the message for the operator
        """
        try:
            contents = self._files.read()
        except ReadError as error:
            raise SystemExit(str(error.finding)) from error
        self._documents = [
            reader.read(path, data) for path, data in contents.files.items()
        ]
        findings = list(contents.findings)
        for document in self._documents:
            findings += document.findings
        broken = [each for each in findings if each.level is Level.BROKEN]
        if broken:
            raise SystemExit("\n".join(summarize(broken, _MAX_LINES)))
        self.file_rules = {
            rule.name: policy.RuleDefault(rule.name, _text(rule))
            for document in self._documents
            for rule in document.rules
        }
        rules = self.registered_rules | self.file_rules
        self.set_rules({name: rule.check for name, rule in rules.items()})

    def check_rules(
        self,
        raise_on_violation: bool = False,  # noqa: ARG002 (oslo.policy's)
    ) -> bool:
        """Log the findings about the files.

        :returns: whether the service accepts them
        """
        checked = check.check(self._documents)
        findings = [
            each for each in checked.findings if each.level is not Level.NOTE
        ]
        for line in summarize(findings, _MAX_REPORTED):
            LOG.warning("%s", line)
        for name in checked.checks.keys() & self.file_rules.keys():
            # What our rules reference is not unknown.
            self.registered_rules.setdefault(name, self.file_rules[name])
        self._provide_file()
        return not checked.broken

    def _provide_file(self) -> None:
        """Write the rules of all files to the one that the validator reads.

        The validator finds it by the global configuration.  The file is
        deleted with this object.
        """
        self._file = tempfile.NamedTemporaryFile(  # noqa: SIM115 (see above)
            "w", suffix=".yaml", encoding="utf-8"
        )
        texts = {
            rule.name: rule.check_str for rule in self.file_rules.values()
        }
        yaml.safe_dump(texts, self._file)
        self._file.flush()
        opts.set_defaults(cfg.CONF)
        cfg.CONF.set_override("policy_file", self._file.name, "oslo_policy")


def _text(rule: Rule) -> str:
    """Return the check as text, which all tools expect."""
    if isinstance(rule.value, str):
        return rule.value
    # oslo.policy accepts both, but only text is in its types.
    return str(policy.RuleDefault(rule.name, cast("str", rule.value)).check)
