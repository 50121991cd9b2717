# SPDX-License-Identifier: Apache-2.0
"""The application of ``console-api-policy``."""

import logging
from collections.abc import Sequence

from console_api.cmd import application


class PolicyApp(application.Application):
    """The application, which opens no database."""

    NAME = "console-api-policy"
    NAMESPACE = "console_api.policy"
    DESCRIPTION = "Check, explain, compare and test policies of console_api."

    def configure_logging(self) -> None:
        """Log as cliff does, but what the service would log only if asked."""
        super().configure_logging()
        if self.options.verbose_level <= self.DEFAULT_VERBOSE_LEVEL:
            logging.getLogger("console_api").setLevel(logging.WARNING)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program.

    :returns: its exit status: 0 if the answer is yes, 1 if it is no, 2 if
        an argument or a file cannot be used
    """
    return application.run(PolicyApp, argv)
