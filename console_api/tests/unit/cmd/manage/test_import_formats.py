# SPDX-License-Identifier: Apache-2.0
import unittest
from collections.abc import Callable, Iterator

from console_api.cmd.manage.import_formats import (
    COLUMNS,
    Item,
    Malformed,
    read_csv,
    read_json,
)


class FormatsCase(unittest.TestCase):
    read: Callable[..., Iterator[Item]]

    def assertMalformed(
        self, line: int, problem: str, text: str, items: int = 0
    ) -> None:
        """Assert that reading stops on a line, after a number of items."""
        found: list[Item] = []
        with self.subTest(text=text[:60]):
            with self.assertRaises(Malformed) as caught:
                found.extend(type(self).read(text))
            self.assertIn(problem, str(caught.exception))
            self.assertEqual(
                (line, items), (caught.exception.line, len(found))
            )


class ReadJsonTest(FormatsCase):
    read = read_json

    def test_items_have_the_line_where_they_begin(self) -> None:
        text = '[{"a": 1},\n\n {\n"a": 2}, {"a":\r\n3}\n,\n4]\n'
        self.assertEqual(
            [
                (1, "line 1 (index 0)", {"a": 1}),
                (3, "line 3 (index 1)", {"a": 2}),
                (4, "line 4 (index 2)", {"a": 3}),
                (7, "line 7 (index 3)", 4),
            ],
            [(i.line, i.place, i.value) for i in read_json(text)],
        )

    def test_empty_list_has_no_items(self) -> None:
        for text in ("[]", " [\n] \n"):
            self.assertEqual([], list(read_json(text)))

    def test_prefixes_of_endpoints_contain_their_index(self) -> None:
        [item] = read_json('[{"endpoints": [{}, 5]}]')
        self.assertEqual(["endpoints[0].", "endpoints[1]."], item.prefixes)

    def test_endpoints_of_another_type_have_no_prefixes(self) -> None:
        for text in ('[{"endpoints": {}}]', '[{"endpoints": null}]', "[[]]"):
            [item] = read_json(text)
            self.assertEqual([], item.prefixes)

    def test_repeated_keys_are_problems(self) -> None:
        [item] = read_json(
            '[{"a": 1, "b": 2, "a": 3, "endpoints": [{"c": 1, "c": 2}]}]'
        )
        self.assertEqual(
            ["'a' occurs more than once", "'c' occurs more than once"],
            item.problems,
        )

    def test_documents_of_another_type_are_malformed(self) -> None:
        for text in ("", "{}", "5", "nonsense", ' \n{"servers": []}'):
            self.assertMalformed(1, "must be a JSON list", text)

    def test_invalid_json_is_malformed_on_its_line(self) -> None:
        for line, problem, text, items in (
            (1, "Expecting value", "[", 0),
            (3, "Expecting value", "[{},\n{},\n]", 2),
            (2, "Expecting value", "[\n,{}]", 0),
            (2, "a comma or ] is missing", "[{}\n{}]", 1),
            (1, "a comma or ] is missing", "[{}", 1),
            (3, "data follows the list", "[{}\n]\n5", 1),
            (3, "property name", '[{},\n{"a": 1,\n2}]', 1),
            (3, "control character", '[\n{},\n{"a": "x\n"}]', 1),
            # Some versions of Python nest as deeply as their stack allows.
            (2, "nested too deeply", "[\n" + "[" * 10_000_000, 0),
            (2, "number that is too long", "[\n" + "9" * 5000 + "]", 0),
        ):
            self.assertMalformed(line, problem, text, items)


class ReadCsvTest(FormatsCase):
    read = read_csv

    HEADER = "uuid,project_id,name,compute_host,vnc_host,vnc_port,mks_port\n"

    def test_rows_become_the_objects_of_json(self) -> None:
        items = list(read_csv(f"{self.HEADER}u,p,n,c,h,5900,\nu,p,n,,,,902\n"))
        self.assertEqual(
            [
                {
                    "uuid": "u",
                    "project_id": "p",
                    "name": "n",
                    "compute_host": "c",
                    "endpoints": [
                        {"protocol": "vnc", "host": "h", "port": 5900}
                    ],
                },
                {
                    "uuid": "u",
                    "project_id": "p",
                    "name": "n",
                    "endpoints": [{"protocol": "mks", "port": 902}],
                },
            ],
            [item.value for item in items],
        )
        self.assertEqual([["vnc_"], ["mks_"]], [i.prefixes for i in items])

    def test_line_breaks_in_cells_count_as_lines(self) -> None:
        for end in ("\n", "\r\n", "\r"):
            lines = [
                self.HEADER.strip(),
                "u,p,a,,,,",
                "",
                f'u,p,"two{end}lines",,,,',
                "u,p,c,,,,",
            ]
            with self.subTest(end=end):
                self.assertEqual(
                    [(2, "line 2"), (4, "line 4"), (6, "line 6")],
                    [(i.line, i.place) for i in read_csv(end.join(lines))],
                )

    def test_columns_are_accepted_in_any_order(self) -> None:
        text = ",".join(reversed(COLUMNS))
        self.assertEqual([], list(read_csv(text)))

    def test_invalid_port_stays_a_string(self) -> None:
        [item] = read_csv(f"{self.HEADER}u,p,n,c,h,abc,\n")
        assert isinstance(item.value, dict)
        self.assertEqual("abc", item.value["endpoints"][0]["port"])

    def test_row_of_another_length_is_a_problem_of_that_row(self) -> None:
        items = list(read_csv(f"{self.HEADER}u,p\nu,p,n,c,h,1,\n"))
        self.assertEqual(
            [["has 2 cells, but the header has 7"], []],
            [list(item.problems) for item in items],
        )

    def test_invalid_header_is_malformed(self) -> None:
        for text, problem in (
            ("", "is empty"),
            ("\n\n", "is empty"),
            ("uuid,project_id\n", "the column name is missing"),
            ("uuid,project_id,name,color\n", "unknown column 'color'; known:"),
            ("uuid;project_id;name\n", "unknown column 'uuid;project_id;name"),
            ("uuid,project_id,name,name\n", "more than once"),
        ):
            self.assertMalformed(1, problem, text)

    def test_invalid_csv_is_malformed_on_its_line(self) -> None:
        for line, problem, text, items in (
            (3, "unexpected end", 'u,p,n,,,,\nu,p,"n', 1),
            (2, "expected after", 'u,p,"n"x,,,,\n', 0),
            (2, "field larger", f"u,p,{'x' * 200_000},,,,\n", 0),
        ):
            self.assertMalformed(line, problem, self.HEADER + text, items)


del FormatsCase
