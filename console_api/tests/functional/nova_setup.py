# SPDX-License-Identifier: Apache-2.0
"""Create the databases of a Nova, in Nova's environment.

The arguments are the folder of ``nova.conf`` and the URL of the database of
cell0.  These are commands of ``nova-manage``, in one process: imports take
most of the time of some of them.
"""

import sys

# First, because it keeps Eventlet from being imported.
from nova.cmd import manage

from nova import config, objects  # isort: skip


def main(folder: str, cell0: str) -> None:
    """Create all tables and the cells.

    :raises SystemExit: a command failed
    """
    config.parse_args(["nova-manage", "--config-file", f"{folder}/nova.conf"])
    objects.register_all()
    cells = manage.CellV2Commands()
    for status in (
        manage.ApiDbCommands().sync(),
        cells.map_cell0(cell0),
        manage.DbCommands().sync(),
        cells.create_cell("cell1"),
    ):
        if status:
            sys.exit(status)


if __name__ == "__main__":
    main(*sys.argv[1:])
