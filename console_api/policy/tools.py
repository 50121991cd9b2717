# SPDX-License-Identifier: Apache-2.0
"""The enforcer of oslo.policy's command line tools."""

from typing import cast

from oslo_config import cfg
from oslo_policy import policy

from console_api import errors, policies
from console_api.policy import reader
from console_api.policy.files import PolicyFiles, ReadError
from console_api.policy.findings import Level, summarize

# Maximum number of findings in an error message.
_MAX_LINES = 5


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

    def load_rules(
        self,
        force_reload: bool = False,  # noqa: ARG002 (the signature of oslo.policy)
    ) -> None:
        """Read the files.

        :raises ConfigurationError: a file does not exist, cannot be read or is
            broken
        """
        try:
            contents = self._files.read()
        except ReadError as error:
            raise errors.ConfigurationError(str(error.finding)) from error
        documents = [
            reader.read(path, data) for path, data in contents.files.items()
        ]
        findings = list(contents.findings)
        for document in documents:
            findings += document.findings
        broken = [each for each in findings if each.level is Level.BROKEN]
        if broken:
            raise errors.ConfigurationError(
                " ".join(summarize(broken, _MAX_LINES))
            )
        self.file_rules = {
            rule.name: policy.RuleDefault(rule.name, cast("str", rule.value))
            for document in documents
            for rule in document.rules
        }
        rules = self.registered_rules | self.file_rules
        self.set_rules({name: rule.check for name, rule in rules.items()})
