# SPDX-License-Identifier: Apache-2.0
"""Microversions: negotiation and response headers.

Not a filter of the pipeline, because a request is routed before its
microversion is checked.
"""

import functools
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import microversion_parse
from microversion_parse import Version

from console_api.api.faults import Fault
from console_api.api.response import Header

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

SERVICE_TYPE = "compute"

#: The service type of a service that is not in the pipeline of another API.
OWN_SERVICE_TYPE = "console"

STANDARD_HEADER = "OpenStack-API-Version"
LEGACY_HEADER = "X-OpenStack-Nova-API-Version"

MIN_VERSION = Version(2, 1)
MAX_VERSION = Version(2, 104)

# In the standard header, both service types mean the same.
_OWN_SERVICE_TYPE = re.compile(
    rf"(^|,)\s*{OWN_SERVICE_TYPE}(?=\s)", re.IGNORECASE
)

_FORM = re.compile(r"[1-9][0-9]{0,8}\.(0|[1-9][0-9]{0,8})")


def negotiate(environ: "WSGIEnvironment") -> Version:
    """Return the microversion that a request's headers select.

    The standard header takes precedence over the legacy one; of several
    microversions in it, the last one applies.  Without either header, it is
    the lowest.

    :raises Fault: 400 if it is malformed, 406 if it is not supported; the
        version headers of the latter repeat the requested one
    """
    return _parse(
        environ.get("HTTP_OPENSTACK_API_VERSION"),
        environ.get("HTTP_X_OPENSTACK_NOVA_API_VERSION"),
    )


@functools.lru_cache(maxsize=256)
def headers(version: Version) -> Sequence[Header]:
    """Return the response headers that name the microversion in force."""
    return (
        (
            STANDARD_HEADER,
            f"{SERVICE_TYPE} {version}, {OWN_SERVICE_TYPE} {version}",
        ),
        (LEGACY_HEADER, str(version)),
        ("Vary", f"{STANDARD_HEADER}, {LEGACY_HEADER}"),
    )


@functools.lru_cache(maxsize=256)
def _parse(standard: str | None, legacy: str | None) -> Version:
    sent = {}
    if standard is not None:
        sent[STANDARD_HEADER] = _OWN_SERVICE_TYPE.sub(
            rf"\1{SERVICE_TYPE}", standard
        )
    if legacy is not None:
        sent[LEGACY_HEADER] = legacy
    text = microversion_parse.get_version(
        sent, SERVICE_TYPE, legacy_headers=[LEGACY_HEADER]
    )
    if text is None:
        return MIN_VERSION
    if text == "latest":
        return MAX_VERSION
    if not _FORM.fullmatch(text):
        raise Fault(
            400,
            f"API Version String {text[:64]!r} is of invalid format. Must be "
            "of format MajorNum.MinorNum or latest.",
        )
    version = microversion_parse.parse_version_string(text)
    if not MIN_VERSION <= version <= MAX_VERSION:
        raise Fault(
            406,
            f"Version {version} is not supported by the API. Minimum is "
            f"{MIN_VERSION} and maximum is {MAX_VERSION}.",
            headers(version),
        )
    return version
