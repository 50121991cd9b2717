# SPDX-License-Identifier: Apache-2.0
"""Version discovery, which requires no authentication."""

from collections.abc import Iterable
from typing import TYPE_CHECKING
from wsgiref.util import application_uri

from console_api.api import faults, microversion
from console_api.api.response import Header, Response, render_json

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

# Load balancers check with OPTIONS, HAProxy by default.
_METHODS = ("GET", "HEAD", "OPTIONS")

_MEDIA_TYPE = "application/vnd.openstack.compute+json"

# As in Nova 34.0.0; `version` and `min_version` are empty without
# microversions.
_VERSIONS: dict[str, dict[str, str]] = {
    "v2": {
        "id": "v2.0",
        "status": "SUPPORTED",
        "version": "",
        "min_version": "",
        "updated": "2011-01-21T11:33:21Z",
    },
    "v2.1": {
        "id": "v2.1",
        "status": "CURRENT",
        "version": str(microversion.MAX_VERSION),
        "min_version": str(microversion.MIN_VERSION),
        "updated": "2013-07-23T11:33:21Z",
    },
}


class VersionList:
    """The application at the root, which lists all versions."""

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Respond to a WSGI request."""
        try:
            _check_method(environ)
            base = application_uri(environ)
            response = render_json(
                {
                    "versions": [
                        _entry(name, base.rstrip("/")) for name in _VERSIONS
                    ]
                }
            )
        except faults.Fault as fault:
            response = faults.from_error(fault)
        return response.send(environ, start_response)


class Version:
    """The application at the prefix of a version, which describes it."""

    def __init__(self, name: str) -> None:
        """Select a version by the name of its prefix.

        :raises LookupError: there is no such version
        """
        if name not in _VERSIONS:
            raise LookupError(f"There is no version {name!r}.")
        self._name = name

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Respond to a WSGI request."""
        version_headers: Iterable[Header] = ()
        try:
            _check_method(environ)
            if self._name == "v2.1":
                version = microversion.negotiate(environ)
                version_headers = microversion.headers(version)
            response = self._show(environ)
        except faults.Fault as fault:
            response = faults.from_error(fault)
        return response.send(environ, start_response, version_headers)

    def _show(self, environ: "WSGIEnvironment") -> Response:
        # SCRIPT_NAME ends with the prefix of the version.
        base = application_uri(environ).rstrip("/")
        entry = _entry(self._name, base.rpartition("/")[0])
        number = _VERSIONS[self._name]["id"].strip("v").removesuffix(".0")
        entry["media-types"] = [
            {
                "base": "application/json",
                "type": f"{_MEDIA_TYPE};version={number}",
            }
        ]
        return render_json({"version": entry})


def _entry(name: str, base: str) -> dict[str, object]:
    return {
        **_VERSIONS[name],
        "links": [{"rel": "self", "href": f"{base}/{name}/"}],
    }


def _check_method(environ: "WSGIEnvironment") -> None:
    if environ["REQUEST_METHOD"] not in _METHODS:
        raise faults.method_not_allowed(", ".join(_METHODS))
