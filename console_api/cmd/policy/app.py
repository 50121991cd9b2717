# SPDX-License-Identifier: Apache-2.0
"""The application of ``console-api-policy``."""

from collections.abc import Sequence

from console_api.cmd import application


class PolicyApp(application.Application):
    """The application, which opens no database."""

    NAME = "console-api-policy"
    NAMESPACE = "console_api.policy"
    DESCRIPTION = "Explain, check and compare policy files of console_api."


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program.

    :returns: its exit status: 0 if all is well, 1 if the answer is no, 2 if
        an argument or a file cannot be used
    """
    return application.run(PolicyApp, argv)
