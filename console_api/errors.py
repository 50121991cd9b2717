# SPDX-License-Identifier: Apache-2.0
"""The errors of the domain.

They are independent of HTTP: ``console_api.api.faults`` maps them to
statuses.  Their messages are for users and operators, and say what to do.
None contains a token or a password.
"""


class ConsoleAPIError(Exception):
    """Base class of the errors of console_api."""


class InvalidInput(ConsoleAPIError):
    """The caller sent an invalid value."""


class Forbidden(ConsoleAPIError):
    """The policy refuses an operation, which the caller may learn."""

    def __init__(self, rule: str) -> None:
        """Create the error with the message that Nova uses."""
        super().__init__(f"Policy doesn't allow {rule} to be performed.")


class ProjectScopeRequired(ConsoleAPIError):
    """The caller's token is not scoped to a project."""

    def __init__(self, kind: str) -> None:
        """Create the error.

        :param kind: with its article: ``an unscoped``, ``a domain-scoped``
        """
        super().__init__(
            f"This operation requires a project-scoped token, but {kind} "
            "token was provided. Request a token for a project."
        )


class NotFound(ConsoleAPIError):
    """A resource does not exist, or is hidden from the caller."""


class ServerNotFound(NotFound):
    """No server has this ID, or it is hidden from the caller."""

    def __init__(self, server_id: str) -> None:
        """Create the error with the ID from the request."""
        super().__init__(f"Server {server_id:.64} could not be found.")


class ConsoleNotFound(NotFound):
    """The server has no console with this ID."""

    def __init__(self, console_id: str) -> None:
        """Create the error with the ID from the request."""
        super().__init__(f"Console {console_id:.64} could not be found.")


class ConsoleHostNotFound(NotFound):
    """No console host has this name and console type."""

    def __init__(self, host: str, console_type: str) -> None:
        """Create the error with both from the request."""
        super().__init__(
            f"Console host {host:.64} with console type {console_type:.32} "
            "could not be found."
        )


class SessionNotFound(NotFound):
    """No session has this ID, or it is hidden from the caller."""

    def __init__(self, session_id: str) -> None:
        """Create the error with the ID from the request."""
        super().__init__(f"Session {session_id:.64} could not be found.")


class LockNotFound(NotFound):
    """There is no such lock."""

    def __init__(self, scope: str, name: str) -> None:
        """Create the error with both from the request."""
        super().__init__(f"Lock of {scope:.16} {name:.64} could not be found.")


class TokenNotFound(NotFound):
    """The token was never issued, has expired or was revoked."""

    def __init__(self) -> None:
        """Create the error with the same message for all causes."""
        super().__init__("Token not found")


class TokenTypeNotAccessible(ConsoleAPIError):
    """The token is valid, but not in the microversion of the request.

    Before microversion 2.31, only ``rdp-html5`` tokens can be looked up.
    """

    def __init__(self) -> None:
        """Create the error with the message of Nova 20."""
        super().__init__(
            "The requested console type details are not accessible"
        )


class Conflict(ConsoleAPIError):
    """The request conflicts with the current state."""


class AlreadyExists(Conflict):
    """A resource with this name or ID exists already."""


class ServerNotReady(Conflict):
    """The server is not scheduled to a compute host yet."""

    def __init__(self, server_id: str) -> None:
        """Create the error with the message that Nova uses."""
        super().__init__(f"Instance {server_id} is not ready")


class SessionRefused(ConsoleAPIError):
    """A gateway must not open a session.

    ``reason`` is for the gateway, the message for the user.  ``retry_after``
    is in seconds, None if a retry cannot succeed.
    """

    reason: str
    retry_after: int | None = None


class InvalidToken(SessionRefused, NotFound):
    """The token was never issued, has expired or was revoked."""

    reason = "invalid_token"

    def __init__(self) -> None:
        """Create the error with the same message for all causes."""
        super().__init__("The token is not valid. Open the console again.")


class InvalidSecret(SessionRefused, NotFound):
    """No session can be resumed with the secret, or not any more."""

    reason = "invalid_secret"

    def __init__(self) -> None:
        """Create the error with the same message for all causes."""
        super().__init__(
            "The session cannot be resumed any more. Open the console again."
        )


class TokenUsed(SessionRefused, Conflict):
    """The token can be used once, and has been."""

    reason = "token_used"

    def __init__(self) -> None:
        """Create the error."""
        super().__init__("The token was used already. Open the console again.")


class UnknownGateway(SessionRefused, Conflict):
    """The gateway has not sent a heartbeat yet, or was purged."""

    reason = "unknown_gateway"
    retry_after = 1

    def __init__(self) -> None:
        """Create the error."""
        super().__init__("The gateway is unknown. Send a heartbeat first.")


class SessionLocked(SessionRefused):
    """An administrator has locked the user, project or host."""

    reason = "locked"

    def __init__(self) -> None:
        """Create the error."""
        super().__init__("Access is locked by an administrator.")


class SessionLimit(SessionRefused):
    """There are too many open sessions."""

    def __init__(self, reason: str, retry_after: int) -> None:
        """Create the error.

        :param reason: the name of the limit, such as ``user_limit``
        :param retry_after: in seconds
        """
        scope = reason.removesuffix("_limit")
        super().__init__(
            f"The maximum number of open sessions of this {scope} is reached. "
            "Close one, or try again later."
        )
        self.reason = reason
        self.retry_after = retry_after


class Unavailable(ConsoleAPIError):
    """The operation is not possible now; a retry may succeed."""


class NoConsoleHost(Unavailable):
    """No console host can serve a console of this server."""


class DatabaseUnavailable(Unavailable):
    """The database does not respond, or not in time.

    ``reason`` says why, and what to do; for operators, on one line.
    """

    message = "The database is unavailable. Retry the request later."

    def __init__(self, reason: str = "unknown") -> None:
        """Create the error with a message that hides the cause."""
        super().__init__(self.message)
        self.reason = reason


class DatabaseBusy(DatabaseUnavailable):
    """A change waited too long for a lock that another one holds."""

    message = (
        "The request waited too long for another change. Retry the request "
        "later."
    )


class DirectoryUnavailable(Unavailable):
    """The directory does not respond, or its response is invalid."""

    def __init__(self) -> None:
        """Create the error with a message that hides the cause."""
        super().__init__(
            "Servers cannot be looked up now. Retry the request later."
        )


class PolicyUnavailable(Unavailable):
    """A policy rule cannot be evaluated now."""

    def __init__(self) -> None:
        """Create the error with a message that hides the cause."""
        super().__init__(
            "The policy cannot be evaluated now. Retry the request later."
        )


class Overloaded(Unavailable):
    """Too many requests are waiting; see ``console_api.bulkhead``."""

    def __init__(self) -> None:
        """Create the error with a message that hides the cause."""
        super().__init__(
            "The service is busy. Retry the request in a few seconds."
        )


class ConfigurationError(ConsoleAPIError):
    """The configuration is invalid; the message says what to change."""
