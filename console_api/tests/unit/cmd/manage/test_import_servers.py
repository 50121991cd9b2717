# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path
from typing import Any
from unittest import mock

from console_api import errors
from console_api.cmd.manage import import_servers
from console_api.db import servers, tables
from console_api.tests.unit.base import SERVER, server_id
from console_api.tests.unit.cmd.manage.base import ManageCase

CSV = b"uuid,project_id,name\n"


def rows(*numbers: int) -> bytes:
    return b"".join(
        f"{server_id(number)},p,n{number}\n".encode() for number in numbers
    )


class ImportTest(ManageCase):
    def file(self, data: bytes, name: str = "servers.csv") -> str:
        path = self.folder / name
        path.write_bytes(data)
        return str(path)

    def names(self) -> list[str]:
        return [row.name for row in self.rows(tables.servers)]

    def test_all_servers_in_a_file_are_stored(self) -> None:
        outcome = self.manage("server", "import", self.file(CSV + rows(1, 2)))
        self.assertEqual("Imported 2 servers.\n", outcome.stdout)
        self.assertEqual(["n1", "n2"], self.names())

    def test_output_of_show_can_be_imported(self) -> None:
        self.add_server(endpoints={"vnc": {"tls_port": 5}, "rdp": {}})
        shown = self.manage("server", "show", SERVER, "-f", "json").json
        servers.delete(self.database, SERVER)
        name = self.file(json.dumps([shown]).encode(), "servers.JSON")
        self.manage("server", "import", name)
        again = self.manage("server", "show", SERVER, "-f", "json").json
        self.assertEqual(shown, again)

    def test_file_format_overrides_the_suffix(self) -> None:
        name = self.file(CSV + rows(1), "servers.txt")
        self.assertRefused("--file-format", "server", "import", name)
        self.manage("server", "import", name, "--file-format", "csv")
        self.assertEqual(["n1"], self.names())

    def test_hyphen_reads_standard_input(self) -> None:
        self.manage(
            *("server", "import", "-", "--file-format", "csv"),
            stdin=CSV + rows(1),
        )
        self.assertEqual(["n1"], self.names())

    def test_unreadable_file_is_named(self) -> None:
        for name, why in (
            (self.folder / "absent.csv", "No such file or directory"),
            (self.folder, "Is a directory"),
        ):
            self.assertRefused(
                f"Cannot read {name}: {why}.",
                *("server", "import", str(name), "--file-format", "csv"),
            )

    def test_nothing_is_stored_if_one_line_is_invalid(self) -> None:
        name = self.file(CSV + rows(1) + b"x,p,n\n" + rows(2))
        outcome = self.run_manage("server", "import", name)
        self.assertEqual((1, ""), (outcome.status, outcome.stdout))
        [problem, advice] = outcome.stderr.splitlines()
        self.assertTrue(problem.startswith("line 3: uuid must be"), problem)
        self.assertIn("Nothing was stored", advice)
        self.assertEqual([], self.names())

    def test_stored_servers_are_reported_by_line(self) -> None:
        self.add_server(server_id(2))
        name = self.file(CSV + rows(1) + b"x,p,n\n" + rows(2))
        outcome = self.run_manage("server", "import", name)
        lines = outcome.stderr.splitlines()
        self.assertEqual(3, len(lines), lines)
        self.assertEqual(
            f"line 4: uuid {server_id(2)} is already stored", lines[1]
        )
        self.assertEqual(["mail"], self.names())

    def test_first_problems_are_listed_and_others_counted(self) -> None:
        self.add_server(server_id(1))
        bad = b"x,p,n\n" * 30
        name = self.file(CSV + rows(1) + bad)
        lines = self.run_manage("server", "import", name).stderr.splitlines()
        self.assertEqual(22, len(lines))
        self.assertEqual(
            [f"line {number}" for number in range(2, 22)],
            [line.partition(":")[0] for line in lines[:20]],
        )
        self.assertEqual("... and 11 more", lines[20])

    def test_server_stored_after_the_check_is_reported(self) -> None:
        name = self.file(CSV + rows(1, 2))
        check = import_servers._check_stored

        def overtaken(*args: Any) -> None:
            check(*args)
            if not self.names():
                self.add_server(server_id(2))

        with mock.patch.object(import_servers, "_check_stored", overtaken):
            outcome = self.run_manage("server", "import", name)
        self.assertEqual(1, outcome.status)
        self.assertIn(
            f"line 3: uuid {server_id(2)} is already stored", outcome.stderr
        )
        self.assertEqual(["mail"], self.names())

    def test_progress_counts_rows(self) -> None:
        data = b"uuid,project_id,name,vnc_host,vnc_port\n"
        data += f"{server_id(1)},p,n,h,1\n".encode()
        found = import_servers.read_file(self.file(data), None)
        steps: list[tuple[int, int]] = []
        import_servers.store(
            self.database, found, lambda *step: steps.append(step)
        )
        self.assertEqual([(1, 2), (2, 2)], steps)

    def test_interrupted_import_stores_nothing(self) -> None:
        found = import_servers.read_file(self.file(CSV + rows(1)), None)

        def interrupt(done: int, total: int) -> None:
            raise KeyboardInterrupt

        with self.assertRaises(KeyboardInterrupt):
            import_servers.store(self.database, found, interrupt)
        self.assertEqual([], self.names())


class ReadFileTest(ManageCase):
    def test_unknown_suffix_is_refused(self) -> None:
        for name in ("servers", "servers.xml", "-", "json", str(Path("/"))):
            with (
                self.subTest(name),
                self.assertRaisesRegex(errors.InvalidInput, "--file-format"),
            ):
                import_servers.read_file(name, None)
