# SPDX-License-Identifier: Apache-2.0
"""Options of the API."""

from oslo_config import cfg

GROUP = "api"

OPTS = [
    cfg.StrOpt(
        "auth_strategy",
        default="keystone",
        choices=[
            (
                "keystone",
                "Validate tokens with Keystone, as configured in "
                "[keystone_authtoken].",
            ),
            (
                "noauth2",
                "Trust the user and project that a caller claims to be. For "
                "tests and evaluation only; see [noauth2].",
            ),
        ],
        help="The way callers are authenticated. Selects the pipeline of the "
        "paste file.",
    ),
    cfg.StrOpt(
        "paste_config",
        default="api-paste.ini",
        help="The paste file that defines the pipelines of the API. A "
        "relative path is relative to the folder of the configuration file.",
    ),
    cfg.IntOpt(
        "max_slow_requests",
        default=5,
        min=1,
        help="Maximum number of requests per process that may wait for "
        "something slow at the same time: for a lock in the database, in "
        "order to write to it, or for the service where servers are looked "
        "up. Further ones get status 503 if they would have to queue for "
        "more than a second. In addition, half as many token look-ups may "
        "wait for that service, and as many requests for Keystone to "
        "validate a token that is not cached. Set this below two thirds of "
        "the number of threads per process: the other threads serve requests "
        "that need not wait.",
    ),
    cfg.IntOpt(
        "max_limit",
        default=1000,
        min=1,
        help="Maximum number of items in a list. A larger `limit` in a "
        "request is reduced to this value.",
    ),
    cfg.IntOpt(
        "max_remote_policy_checks",
        default=2,
        min=1,
        help="Maximum number of requests of a worker that concurrently wait "
        "for other servers that policy rules ask (`http:` and `https:` checks "
        "and checks of third parties). Others are refused with status 503. "
        "Keep it below the number of threads of a worker, so that requests "
        "for which no server is asked find a free thread. See also "
        "[oslo_policy] remote_timeout.",
    ),
]
