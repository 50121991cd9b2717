# SPDX-License-Identifier: Apache-2.0
"""What can go wrong, in the words of the domain.

These errors know nothing of HTTP: ``console_api.api.faults`` has the one
table that turns them into replies.  Every message is read by a user or an
operator and says what to do; none carries a token or a password.
"""


class ConsoleAPIError(Exception):
    """The root of all errors that console_api raises on purpose."""


class InvalidInput(ConsoleAPIError):
    """The caller sent something that cannot be accepted as it is."""


class Forbidden(ConsoleAPIError):
    """The policy refuses an operation on a server of the caller's project."""

    def __init__(self, rule: str) -> None:
        """Name the policy rule that refuses, as Nova's message does."""
        super().__init__(f"Policy doesn't allow {rule} to be performed.")


class ProjectScopeRequired(ConsoleAPIError):
    """The caller's token is not scoped to a project."""

    def __init__(self, scope: str) -> None:
        """Say what it is scoped to instead."""
        super().__init__(
            f"This takes a token that is scoped to a project, and yours is "
            f"scoped to {scope}. Ask the identity service for one of a "
            "project."
        )


class NotFound(ConsoleAPIError):
    """Something named by the caller is not there, or not for the caller."""


class ServerNotFound(NotFound):
    """No server has this id, or the caller may not know of it."""

    def __init__(self, server_id: str) -> None:
        """Name the server as the caller did."""
        super().__init__(f"Server {server_id:.64} could not be found.")


class ConsoleNotFound(NotFound):
    """The server has no console of this id."""

    def __init__(self, console_id: str) -> None:
        """Name the console as the caller did."""
        super().__init__(f"Console {console_id:.64} could not be found.")


class ConsoleHostNotFound(NotFound):
    """No console host has this name and console type."""


class TokenNotFound(NotFound):
    """The token was never issued, has expired or was revoked."""

    def __init__(self) -> None:
        """Give one message for all causes, so that nothing is learned."""
        super().__init__("Token not found")


class TokenTypeNotAccessible(ConsoleAPIError):
    """The token is good, but its console type is not for this microversion.

    Before microversion 2.31 only ``rdp-html5`` tokens are looked up.
    """

    def __init__(self) -> None:
        """Use the message that clients know from Nova 20."""
        super().__init__(
            "The requested console type details are not accessible"
        )


class Conflict(ConsoleAPIError):
    """The request does not fit the state that things are in."""


class AlreadyExists(Conflict):
    """Something with this name or id is already stored."""


class ServerNotReady(Conflict):
    """The server has no compute host yet, so it has no screen either."""

    def __init__(self, server_id: str) -> None:
        """Name the server; the message is the one clients know."""
        super().__init__(f"Instance {server_id} is not ready")


class Unavailable(ConsoleAPIError):
    """The service cannot do this now; a later try may succeed."""


class NoConsoleHost(Unavailable):
    """No console host can take a console of this server."""


class DatabaseUnavailable(Unavailable):
    """The database does not answer, or not in time."""

    def __init__(self) -> None:
        """Say so without a word of which database or why."""
        super().__init__(
            "The database does not answer. Try again in a few seconds."
        )


class DirectoryUnavailable(Unavailable):
    """The directory of servers does not answer, or not as it should."""

    def __init__(self) -> None:
        """Say so without a word of which directory or why."""
        super().__init__(
            "Servers cannot be looked up now. Try again in a few seconds."
        )


class ConfigurationError(ConsoleAPIError):
    """The service cannot start as it is configured; says what to change."""
