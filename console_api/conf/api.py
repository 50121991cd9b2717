# SPDX-License-Identifier: Apache-2.0
"""Options of the API itself."""

from oslo_config import cfg

GROUP = "api"

OPTS = [
    cfg.StrOpt(
        "auth_strategy",
        default="keystone",
        choices=[
            (
                "keystone",
                "Ask Keystone who the caller is. [keystone_authtoken] says "
                "how.",
            ),
            (
                "noauth2",
                "Believe what the caller says of itself. For tests and for "
                "trying things out; see [noauth2].",
            ),
        ],
        help="How callers are identified: chooses the pipeline of the paste "
        "file.",
    ),
    cfg.StrOpt(
        "paste_config",
        default="api-paste.ini",
        help="The paste file that puts the API together. A relative name is "
        "looked for beside the configuration file.",
    ),
    cfg.IntOpt(
        "max_limit",
        default=1000,
        min=1,
        help="How many items a list shows at most. A greater `limit` in a "
        "request is cut down to this number.",
    ),
]
