# SPDX-License-Identifier: Apache-2.0
"""Options of the key repository that console passwords are encrypted with."""

from oslo_config import cfg

GROUP = "passwords"

OPTS = [
    cfg.StrOpt(
        "key_repository",
        default="/etc/console_api/keys",
        help="The folder of the keys that encrypt console passwords at rest. "
        "`console-api-manage keys setup` makes it. All API workers need the "
        "same keys; copy the folder to each machine after a rotation.",
    ),
    cfg.IntOpt(
        "max_active_keys",
        default=3,
        min=3,
        help="How many keys the repository keeps: the staged one, the "
        "primary one and those before it. `console-api-manage keys rotate` "
        "deletes the oldest beyond this number once nothing needs them.",
    ),
]
