# SPDX-License-Identifier: Apache-2.0
"""Options of the directory, where servers are looked up."""

from oslo_config import cfg

GROUP = "directory"

OPTS = [
    cfg.StrOpt(
        "driver",
        default="database",
        help="Where servers come from: the name of an entry point in the "
        "namespace console_api.directory. `database` means console_api's "
        "own tables, which `console-api-manage server` fills.",
    ),
]
