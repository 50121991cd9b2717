# SPDX-License-Identifier: Apache-2.0
"""Explain errors to an operator at a terminal."""

from console_api import errors


def explain(error: errors.ConsoleAPIError | OSError) -> str:
    """Return what went wrong and what to do, on one line.

    Unlike users of the API, operators see why the database is unavailable.
    """
    if isinstance(error, OSError):
        return _explain_os_error(error)
    if isinstance(error, errors.DatabaseUnavailable):
        return f"The database is unavailable: {error.reason}"
    return str(error)


def _explain_os_error(error: OSError) -> str:
    reason = error.strerror or str(error)
    message = f"{error.filename}: {reason}." if error.filename else reason
    if isinstance(error, PermissionError):
        message = f"{message} Run the command as a user with permission."
    return message
