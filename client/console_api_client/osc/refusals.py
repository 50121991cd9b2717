# SPDX-License-Identifier: Apache-2.0
"""Errors of the service as messages that say what to do."""

from __future__ import annotations

import re

from openstack import exceptions as sdk_exceptions
from osc_lib import exceptions

_RULE = re.compile(r"Policy doesn't allow (\S+) to be performed")

# Policy rules that only administrators, or readers too, pass by default.
_FOR_ADMINISTRATORS = ("os-console-hosts", "os-console-locks")
_FOR_READERS = (":index", ":list", ":view-only", "os-console-sessions:show")

# Messages of Nova and other services for unknown paths.
_UNKNOWN_PATHS = (
    "The resource could not be found",
    "This resource is no longer available",
)


def explain(error: sdk_exceptions.SDKException) -> exceptions.CommandError:
    """Return an error of the SDK as one of a command, with what to do."""
    if not isinstance(error, sdk_exceptions.HttpException):
        return exceptions.CommandError(_printable(str(error)))
    message = str(error.details or error)
    status = error.status_code
    if status == 403:
        message += _permission(message)
    elif _is_unknown_path(status, message):
        message = _wrong_endpoint(error)
    elif status is not None and status >= 500:
        message = f"The service answered {status}: {message}"
    return exceptions.CommandError(_printable(message))


def _printable(text: str) -> str:
    """Return a text of a service without what controls a terminal."""
    return "".join(
        each if each.isprintable() or each == "\n" else ascii(each)[1:-1]
        for each in text
    )


def _permission(message: str) -> str:
    found = _RULE.search(message)
    if found is None:
        return ""
    rule = found.group(1)
    if any(resource in rule for resource in _FOR_ADMINISTRATORS):
        return " By default, only administrators of the cloud may do that."
    role = "reader" if rule.endswith(_FOR_READERS) else "member"
    return (
        f" Ask an administrator of the project for a role that {rule} "
        f"accepts, by default {role}."
    )


def _is_unknown_path(status: int | None, message: str) -> bool:
    if status in {404, 410}:
        return any(text in message for text in _UNKNOWN_PATHS)
    return status == 405


def _wrong_endpoint(error: sdk_exceptions.HttpException) -> str:
    return (
        f"The service at {_base_url(str(error.url))} does not serve consoles, "
        "or its version does not have this operation. In a cloud with "
        "console_api, the catalog has a service of the type console "
        "(openstack catalog list). Ask the operator of the cloud, or set "
        "console_endpoint_override in clouds.yaml."
    )


def _base_url(url: str) -> str:
    """Return the endpoint of a URL, without identifiers and tokens."""
    return re.split(r"/(?:servers|os-[a-z-]+)(?:[/?]|$)", url, maxsplit=1)[0]
