# SPDX-License-Identifier: Apache-2.0
"""Our defaults for the options of filters of other projects."""

from collections.abc import Mapping

_VERSION_HEADERS = ("OpenStack-API-Version", "X-OpenStack-Nova-API-Version")

#: Of ``[keystone_authtoken]``: a timeout in seconds, and a number of retries.
#: By default, keystonemiddleware waits without limit.
AUTHTOKEN_DEFAULTS: Mapping[str, int] = {
    "http_connect_timeout": 10,
    "http_request_max_retries": 1,
}

#: By group and option; others have the defaults of oslo.middleware.
DEFAULTS: Mapping[str, Mapping[str, list[str]]] = {
    "healthcheck": {
        "backends": ["console_api_database", "console_api_policy"]
    },
    "cors": {
        "allow_headers": [
            "X-Auth-Token",
            "X-Openstack-Request-Id",
            *_VERSION_HEADERS,
        ],
        "expose_headers": [
            "X-Openstack-Request-Id",
            "X-Compute-Request-Id",
            *_VERSION_HEADERS,
        ],
        "allow_methods": ["GET", "HEAD", "POST", "PUT", "DELETE"],
    },
}
