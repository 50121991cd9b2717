# SPDX-License-Identifier: Apache-2.0
"""Decision diagrams: functions of several attributes with few values each.

A diagram is to a rule what a truth table is, without its size: two rules
decide alike for all callers exactly if their diagrams are the same.  They are
reduced ordered multi-valued decision diagrams (Bryant, "Graph-Based Algorithms
for Boolean Function Manipulation", 1986).
"""

from collections.abc import Callable, Container, Mapping, Sequence
from typing import TypeAlias

from console_api import errors

#: A function, as a number: equal functions have equal numbers.
Diagram: TypeAlias = int

#: The functions that are false and true for everything.
NEVER: Diagram = 0
ALWAYS: Diagram = 1

#: Values by attribute, both as numbers that count from 0.
Assignment: TypeAlias = dict[int, int]

# Maximum number of attributes, on which the depth of recursion depends.
_MAX_ATTRIBUTES = 200

# Maximum number of nodes, and of combined pairs of them: some ten megabytes,
# and about a second.
_MAX_NODES = 100_000


class TooComplexError(errors.ConsoleAPIError):
    """The functions cannot be compared within the limits."""

    def __init__(self) -> None:
        """Create the error."""
        super().__init__(
            "The policy is too complex to be decided for all callers. Use "
            "fewer roles and fewer nested checks."
        )


class Diagrams:
    """Creates and combines functions of the same attributes."""

    def __init__(self, sizes: Sequence[int]) -> None:
        """Create no function yet.

        :param sizes: the number of values of each attribute
        :raises TooComplexError: there are too many attributes
        """
        if len(sizes) > _MAX_ATTRIBUTES:
            raise TooComplexError
        self._sizes = sizes
        # The attribute that a node depends on first, and the function that
        # remains for each of its values.
        self._nodes: list[tuple[int, tuple[Diagram, ...]]] = [
            (len(sizes), ()),
            (len(sizes), ()),
        ]
        self._numbers: dict[tuple[int, tuple[Diagram, ...]], Diagram] = {}
        self._conjunctions: dict[tuple[Diagram, Diagram], Diagram] = {}
        self._negations: dict[Diagram, Diagram] = {NEVER: ALWAYS}

    def where(self, attribute: int, values: Container[int]) -> Diagram:
        """Return the function that is true for these values."""
        return self._node(
            attribute,
            tuple(
                ALWAYS if value in values else NEVER
                for value in range(self._sizes[attribute])
            ),
        )

    def negate(self, diagram: Diagram) -> Diagram:
        """Return the function that is true where another is false."""
        if diagram not in self._negations:
            attribute, children = self._nodes[diagram]
            if not children:
                return NEVER
            self._negations[diagram] = self._node(
                attribute, tuple([self.negate(child) for child in children])
            )
        return self._negations[diagram]

    def conjoin(self, first: Diagram, second: Diagram) -> Diagram:
        """Return the function that is true where both are."""
        if second in {first, ALWAYS}:
            return first
        if first == ALWAYS:
            return second
        if NEVER in (first, second):
            return NEVER
        key = (first, second) if first < second else (second, first)
        if key not in self._conjunctions:
            if len(self._conjunctions) >= _MAX_NODES:
                raise TooComplexError
            attribute = min(self._nodes[first][0], self._nodes[second][0])
            remaining = [
                self.conjoin(
                    self._child(first, attribute, value),
                    self._child(second, attribute, value),
                )
                for value in range(self._sizes[attribute])
            ]
            self._conjunctions[key] = self._node(attribute, tuple(remaining))
        return self._conjunctions[key]

    def disjoin(self, first: Diagram, second: Diagram) -> Diagram:
        """Return the function that is true where one of them is."""
        return self.negate(
            self.conjoin(self.negate(first), self.negate(second))
        )

    def subtract(self, first: Diagram, second: Diagram) -> Diagram:
        """Return the function that is true where only the first one is."""
        return self.conjoin(first, self.negate(second))

    def restrict(
        self, diagram: Diagram, assignment: Mapping[int, int]
    ) -> Diagram:
        """Return the function that remains if some attributes are known."""
        found: dict[Diagram, Diagram] = {}

        def remain(node: Diagram) -> Diagram:
            attribute, children = self._nodes[node]
            if not children:
                return node
            if node not in found:
                if attribute in assignment:
                    found[node] = remain(children[assignment[attribute]])
                else:
                    found[node] = self._node(
                        attribute, tuple([remain(child) for child in children])
                    )
            return found[node]

        return remain(diagram)

    def cheapest(
        self, diagram: Diagram, cost: Callable[[int, int], int]
    ) -> Assignment | None:
        """Return the assignment of lowest cost for which a function is true.

        :param cost: the cost of a value of an attribute; attributes that do
            not matter are left out, as if at no cost
        :returns: None if the function is never true
        """
        best: dict[Diagram, tuple[int, int] | None] = {
            NEVER: None,
            ALWAYS: (0, 0),
        }

        def search(node: Diagram) -> tuple[int, int] | None:
            """Return the lowest cost and the value that leads to it."""
            if node not in best:
                attribute, children = self._nodes[node]
                lowest = None
                for value, child in enumerate(children):
                    rest = search(child)
                    if rest is not None:
                        total = rest[0] + cost(attribute, value)
                        if lowest is None or total < lowest[0]:
                            lowest = total, value
                best[node] = lowest
            return best[node]

        if search(diagram) is None:
            return None
        assignment: Assignment = {}
        while diagram != ALWAYS:
            attribute, children = self._nodes[diagram]
            found = best[diagram]
            value = 0 if found is None else found[1]
            assignment[attribute] = value
            diagram = children[value]
        return assignment

    def _child(self, node: Diagram, attribute: int, value: int) -> Diagram:
        own, children = self._nodes[node]
        return children[value] if own == attribute else node

    def _node(self, attribute: int, children: tuple[Diagram, ...]) -> Diagram:
        if len(set(children)) == 1:
            return children[0]
        key = attribute, children
        if key not in self._numbers:
            if len(self._nodes) >= _MAX_NODES:
                raise TooComplexError
            self._numbers[key] = len(self._nodes)
            self._nodes.append(key)
        return self._numbers[key]
