# SPDX-License-Identifier: Apache-2.0
"""Why a WebSocket is closed: codes, names and words for people.

The page shows the words and decides by the code whether to connect again.
"""

import enum
from typing import Self

#: The longest reason in a close frame, in bytes: RFC 6455, section 5.5.
MAX_TEXT_LENGTH = 123


class CloseReason(enum.Enum):
    """A code of a close frame, the reason in it, and its name.

    Codes from 4000 on are the gateway's own (RFC 6455, section 7.4.2).
    """

    code: int
    text: str

    def __new__(cls, code: int, text: str) -> Self:
        """Create a member whose value is the code."""
        member = object.__new__(cls)
        member._value_ = code
        member.code = code
        member.text = text
        return member

    @property
    def label(self) -> str:
        """The name in the API, the audit trail and the metrics."""
        return self.name.lower()

    CLIENT_CLOSED = 1000, "The viewer closed the session."
    VIOLATION = 1008, "The viewer sent a message that is not allowed."
    GATEWAY_ERROR = 1011, "Unexpected error in the gateway. Try again."
    GATEWAY_STOPPED = 1012, "The gateway restarts. Connecting again."

    CONNECTION_LOST = 4000, "The connection to the viewer was lost."
    TAKEN_OVER = 4001, "This console was opened in another window."
    CUT = 4002, "The session was ended by a user or an administrator."
    REVOKED = 4003, "The console was revoked, or its server moved or deleted."
    IDLE_TIMEOUT = 4004, "The session was idle for too long."
    TIME_LIMIT = 4005, "The session reached its time limit."
    DISPLAY_CLOSED = 4006, "The server closed the connection."
    DISPLAY_UNREACHABLE = 4007, "The display cannot be reached. Try again."
    LIMIT_REACHED = 4008, "There are too many sessions. Try again later."
    INVALID_TOKEN = 4009, "The token is not valid. Open a new console."
    TOKEN_USED = 4010, "The token was used already. Open a new console."
    LOCKED = 4011, "Access is locked by an administrator."
    UNAVAILABLE = 4012, "The service is unavailable. Try again later."
    UNSUPPORTED = 4013, "The gateway does not serve this console type."


def shorten(text: str) -> str:
    """Return a text without what is too long for a close frame."""
    return text.encode()[:MAX_TEXT_LENGTH].decode(errors="ignore")
