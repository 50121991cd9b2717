# SPDX-License-Identifier: Apache-2.0
"""Decision diagrams against truth tables."""

import itertools
import random
import unittest
from unittest import mock

from console_api.policy import diagrams
from console_api.policy.diagrams import ALWAYS, NEVER, Diagram, Diagrams

SIZES = (2, 3, 2, 2)
INPUTS = list(itertools.product(*map(range, SIZES)))


class RandomFunctions:
    """Makes random functions, as a diagram and as a truth table."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.diagrams = Diagrams(SIZES)

    def make(self, depth: int) -> tuple[Diagram, list[bool]]:
        if depth == 0:
            attribute = self.chance.randrange(len(SIZES))
            values = {
                value
                for value in range(SIZES[attribute])
                if self.chance.random() < 0.5
            }
            return self.diagrams.where(attribute, values), [
                each[attribute] in values for each in INPUTS
            ]
        one, of_one = self.make(depth - 1)
        two, of_two = self.make(depth - 1)
        pairs = list(zip(of_one, of_two, strict=True))
        match self.chance.randrange(3):
            case 0:
                return self.diagrams.conjoin(one, two), [
                    a and b for a, b in pairs
                ]
            case 1:
                return self.diagrams.disjoin(one, two), [
                    a or b for a, b in pairs
                ]
        return self.diagrams.subtract(one, two), [
            a and not b for a, b in pairs
        ]


class DiagramsTest(unittest.TestCase):
    def test_functions_equal_truth_tables(self) -> None:
        functions = RandomFunctions(seed=1)
        by_table: dict[tuple[bool, ...], Diagram] = {}
        for _ in range(200):
            diagram, table = functions.make(depth=3)
            for values, expected in zip(INPUTS, table, strict=True):
                found = functions.diagrams.restrict(
                    diagram, dict(enumerate(values))
                )
                self.assertEqual(ALWAYS if expected else NEVER, found)
            # Equal functions are the same diagram.
            known = by_table.setdefault(tuple(table), diagram)
            self.assertEqual(known, diagram)

    def test_cheapest_is_cheapest_of_truth_table(self) -> None:
        functions = RandomFunctions(seed=2)
        for _ in range(200):
            diagram, table = functions.make(depth=3)
            found = functions.diagrams.cheapest(
                diagram, lambda attribute, value: value * (attribute + 1)
            )
            costs = [
                sum(value * (n + 1) for n, value in enumerate(values))
                for values, passes in zip(INPUTS, table, strict=True)
                if passes
            ]
            if found is None:
                self.assertEqual([], costs)
                continue
            self.assertEqual(
                ALWAYS, functions.diagrams.restrict(diagram, found)
            )
            cost = sum(value * (n + 1) for n, value in found.items())
            self.assertEqual(min(costs), cost)

    def test_size_is_limited(self) -> None:
        with self.assertRaises(diagrams.TooComplexError):
            Diagrams([2] * 1000)
        self.enterContext(mock.patch.object(diagrams, "_MAX_NODES", 50))
        functions = RandomFunctions(seed=3)
        with self.assertRaises(diagrams.TooComplexError):
            for _ in range(100):
                functions.make(depth=4)
