# SPDX-License-Identifier: Apache-2.0
"""The API reference and its samples match the API."""

import functools
import json
import re
import unittest

from console_api.api import routes
from console_api.api.microversion import MAX_VERSION, MIN_VERSION
from console_api.tests.functional import configuration, samples

REFERENCE = configuration.CHECKOUT / "api-ref" / "source"

# An operation, its microversion range, and its policy rule.
OPERATION = re.compile(
    r"^\.\. rest_method:: (\S+) (\S+)\n"
    r"(?:   min_version: (\S+)\n)?(?:   max_version: (\S+)\n)?"
    r".*?^Policy rule: ``(\S+?)``",
    re.DOTALL | re.MULTILINE,
)

INCLUDE = re.compile(
    r"^\s*\.\. literalinclude:: \.\./\.\./doc/api_samples/(\S+)$", re.MULTILINE
)


@functools.cache
def collected():
    return samples.collect()


def stored():
    """Return the paths of the existing samples."""
    return {
        str(path.relative_to(samples.FOLDER))
        for path in samples.FOLDER.rglob("*")
        if path.is_file()
    }


def shape(document):
    """Return the keys and types of a document; lists by their first item."""
    if isinstance(document, dict):
        return {key: shape(value) for key, value in document.items()}
    if isinstance(document, list):
        return [shape(item) for item in document[:1]]
    return type(document).__name__


class SampleTests(unittest.TestCase):
    def test_every_sample_belongs_to_a_request(self):
        self.assertEqual(sorted(collected()), sorted(stored()))

    def test_samples_match_real_responses(self):
        for path in stored() & collected().keys():
            with self.subTest(path):
                sample = json.loads((samples.FOLDER / path).read_text())
                self.assertEqual(shape(collected()[path]), shape(sample))

    def test_samples_are_formatted_consistently(self):
        for path in stored():
            with self.subTest(path):
                text = (samples.FOLDER / path).read_text()
                self.assertEqual(samples.render(json.loads(text)), text)

    def test_every_sample_is_in_the_reference(self):
        included = {
            path
            for page in REFERENCE.rglob("*")
            if page.suffix in (".inc", ".rst")
            for path in INCLUDE.findall(page.read_text())
        }
        self.assertEqual(sorted(stored()), sorted(included))

    def test_regenerated_samples_are_unchanged(self):
        self.assertEqual(collected(), samples.collect())

    def test_differences_are_detected(self):
        """The comparison detects changed keys and types."""
        document = {"a": {"b": 1, "c": [{"d": "x"}, {}], "e": None}}
        for other in (
            {"a": {"b": 1, "c": [{"d": "x"}]}},
            {"a": {"b": 1, "c": [{"d": "x"}], "e": None, "f": 1}},
            {"a": {"b": "1", "c": [{"d": "x"}], "e": None}},
            {"a": {"b": 1, "c": [{"d": 1}], "e": None}},
            {"a": {"b": 1, "c": [], "e": None}},
            {"a": {"b": 1, "c": [{"d": "x"}], "e": 1}},
            {"a": {"b": True, "c": [{"d": "x"}], "e": None}},
        ):
            with self.subTest(other):
                self.assertNotEqual(shape(document), shape(other))
        self.assertEqual(
            shape(document),
            shape({"a": {"e": None, "c": [{"d": "y"}] * 9, "b": 7}}),
        )


class ReferenceTests(unittest.TestCase):
    def test_operations_match_route_table(self):
        documented = {
            operation
            for page in REFERENCE.glob("*.inc")
            for operation in OPERATION.findall(page.read_text())
        }
        expected = {
            (
                route.method,
                route.path,
                _bound(route.min_version, MIN_VERSION),
                _bound(route.max_version, MAX_VERSION),
                route.rule,
            )
            for route in routes.ROUTES
        }
        self.assertEqual(expected, documented)


def _bound(version, default):
    return "" if version == default else str(version)
