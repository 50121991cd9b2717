# SPDX-License-Identifier: Apache-2.0
"""Options of the keys that encrypt console passwords."""

from oslo_config import cfg

GROUP = "passwords"

OPTS = [
    cfg.StrOpt(
        "key_repository",
        default="/etc/console_api/keys",
        help="The folder of the keys that encrypt console passwords at rest, "
        "created by `console-api-manage keys setup`. All API workers and "
        "agents need the same keys: copy the folder to every machine after a "
        "rotation.",
    ),
    cfg.IntOpt(
        "max_active_keys",
        default=3,
        min=3,
        help="Maximum number of keys in the repository: the staged key, the "
        "primary key and former primary keys. `console-api-manage keys "
        "rotate` deletes the oldest keys in excess of this number once no "
        "password needs them.",
    ),
]
