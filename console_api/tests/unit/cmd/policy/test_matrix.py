# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

from console_api.tests.unit.cmd.policy.base import PolicyCase

SHOW = "os_compute_api:os-consoles:show"


class MatrixTest(PolicyCase):
    def setUp(self) -> None:
        super().setUp()
        (self.folder / "console_api.conf").touch()
        (self.folder / "policy.yaml").write_text(
            f'"{SHOW}": "rule:project_manager_or_admin"\n'
        )

    def write(self, name: str, check: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'"{SHOW}": "{check}"\n')
        return path

    def cells(self, *arguments: str, servers: str = "own") -> dict[str, str]:
        """Return the cells of the row of ``os-consoles:show``."""
        outcome = self.run_policy("matrix", "-f", "markdown", *arguments)
        self.assertEqual(0, outcome.status, outcome.stderr)
        rows = [
            [cell.strip() for cell in line.strip("|").split(" | ")]
            for line in outcome.stdout.splitlines()
        ]
        [row] = [r for r in rows if r[:2] == ["os-consoles:show", servers]]
        return dict(zip(rows[0], row, strict=True))

    def test_differences_from_defaults_are_marked(self) -> None:
        cells = self.cells()
        self.assertEqual("-", cells["reader"])
        self.assertEqual("- *", cells["member"])
        self.assertEqual("yes", cells["manager"])
        cells = self.cells(servers="other")
        self.assertEqual("-", cells["manager"])
        self.assertEqual("yes", cells["admin"])

    def test_pending_file_replaces_only_policy_file(self) -> None:
        pending = str(self.write("new.yaml", "role:member or role:auditor"))
        cells = self.cells("--pending", pending)
        self.assertEqual("no -> yes", cells["member"])
        self.assertEqual("no -> yes", cells["auditor"])
        self.assertEqual("yes -> no", cells["manager"])
        self.write("policy.d/10.yaml", "!")
        cells = self.cells("--pending", pending)
        self.assertEqual("- *", cells["member"])

    def test_unchanged_operations_can_be_left_out(self) -> None:
        for arguments, expected in (
            ((), [["os-consoles:show", "own"]]),
            (("--policy", "defaults"), []),
            (("--pending", str(self.folder / "policy.yaml")), []),
        ):
            with self.subTest(arguments):
                outcome = self.run_policy(
                    "matrix", "--changed", "-f", "markdown", *arguments
                )
                rows = outcome.stdout.splitlines()[2:]
                self.assertEqual(
                    expected,
                    [row.strip("| ").split(" | ")[:2] for row in rows],
                )

    def test_table_without_changes_says_so(self) -> None:
        outcome = self.run_policy(
            "matrix", "--policy", "defaults", "--changed"
        )
        self.assertEqual("Nothing changes for these roles.\n", outcome.stdout)

    def test_policy_may_be_file_or_defaults(self) -> None:
        path = str(self.write("other.yaml", "http://policy.example.org/"))
        cells = self.cells("--policy", path)
        self.assertEqual("? *", cells["member"])
        pending = str(self.folder / "policy.yaml")
        cells = self.cells("--policy", path, "--pending", pending)
        self.assertEqual("? -> yes", cells["manager"])
        self.assertEqual("yes", self.cells("--policy", "defaults")["member"])

    def test_programs_get_one_row_for_each_decision(self) -> None:
        outcome = self.run_policy("matrix", "-f", "json")
        self.assertIn(
            {
                "rule": SHOW,
                "servers": "own",
                "persona": "member",
                "default": True,
                "allowed": False,
            },
            outcome.json,
        )

    def test_table_explains_its_marks(self) -> None:
        table = self.run_policy("matrix").stdout
        self.assertIn("differs from the default", table)
        self.assertLess(max(map(len, table.splitlines())), 100)

    def test_broken_file_is_refused(self) -> None:
        path = str(self.write("broken.yaml", "rule:undefined"))
        outcome = self.run_policy("matrix", "--pending", path)
        self.assertEqual((2, ""), (outcome.status, outcome.stdout))
        self.assertIn(f"{path}:1", outcome.stderr)
