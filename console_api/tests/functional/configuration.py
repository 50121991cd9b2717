# SPDX-License-Identifier: Apache-2.0
"""Write configuration folders for tests."""

import functools
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import console_api
from console_api import conf
from console_api.db import schema
from console_api.keys import repository
from console_api.tests.base_urls import BASE_URLS
from console_api.tests.functional import databases
from console_api.tests.functional.databases import TestDatabase

#: Options by group, as strings.
Options = Mapping[str, Mapping[str, str]]

CHECKOUT = Path(console_api.__file__).parents[1]

#: The paste file of the distribution.
PASTE_FILE = CHECKOUT / "etc" / "console_api" / "api-paste.ini"


def write(
    folder: Path, database: TestDatabase | None, options: Options | None = None
) -> Path:
    """Write a complete configuration: options, paste file and keys.

    :param options: added to the options of every test, or replacing them
    :returns: the folder
    """
    repository.setup(folder / "keys")
    shutil.copy(PASTE_FILE, folder)
    groups: dict[str, dict[str, str]] = {
        # Requests of concurrent tests queue for longer than those of users.
        "api": {"auth_strategy": "noauth2", "max_slow_requests": "16"},
        "passwords": {"key_repository": str(folder / "keys")},
        "remote_consoles": {**BASE_URLS},
    }
    if database is not None:
        # Many servers share the connections of one database server.
        groups["database"] = {
            "connection": database.text,
            "max_pool_size": "1",
        }
    for group, values in (options or {}).items():
        groups.setdefault(group, {}).update(values)
    lines = []
    for group, values in groups.items():
        lines.append(f"[{group}]")
        for name, value in values.items():
            lines.append(f"{name} = {value.replace('$', '$$')}")
    (folder / f"{conf.PROJECT}.conf").write_text("\n".join(lines) + "\n")
    return folder


def temporary_folder() -> Path:
    """Create a folder that is deleted when the process ends."""
    return Path(tempfile.mkdtemp(dir=databases.folder()))


def migrate(database: TestDatabase) -> TestDatabase:
    """Create the schema, as `console-api-manage db sync` does."""
    schema.sync(conf.load(write(temporary_folder(), database)))
    return database


@functools.cache
def migrated(name: str) -> TestDatabase:
    """Return a database with the schema, shared by tests of the process."""
    return migrate(databases.create(name))
