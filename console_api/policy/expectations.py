# SPDX-License-Identifier: Apache-2.0
"""Expectations of a policy, which an administrator keeps beside it.

A YAML list of objects: who must be allowed to perform an operation, who must
be refused, and who must be the only ones.
"""

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from console_api import errors
from console_api.policy import scan
from console_api.policy.attributes import Value
from console_api.policy.callers import Caller
from console_api.policy.vocabulary import CALLER_ATTRIBUTES

# What an expectation consists of, and a caller if it is not just a role.
_KEYS = (
    *("name", "operation", "rule", "servers"),
    *("allowed", "refused", "only"),
)
_CALLER_KEYS = ("roles", "service_roles", "attributes")

# Another scope than a project is refused before any rule is checked.
_ATTRIBUTES = tuple(
    sorted(
        CALLER_ATTRIBUTES
        - {"roles", "service_roles", "is_admin", "system_scope", "domain_id"}
    )
)

_SERVERS = {"own": (True,), "other": (False,), "all": (True, False)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What is expected of one operation, or of several.

    ``subjects`` are operations or rules.  ``servers`` says whether servers of
    the caller's own project are meant, others, or both.  ``only`` is None if
    others than these callers may be allowed.
    """

    name: str
    line: int
    subjects: tuple[str, ...]
    servers: tuple[bool, ...]
    allowed: tuple[Caller, ...] = ()
    refused: tuple[Caller, ...] = ()
    only: tuple[Caller, ...] | None = None

    @property
    def callers(self) -> Iterator[Caller]:
        """All callers that are named."""
        yield from self.allowed
        yield from self.refused
        yield from self.only or ()


class MalformedExpectations(errors.ConsoleAPIError):
    """The file does not contain expectations; the message names the lines."""


class _Problem(Exception):
    """A part of the file is malformed."""

    def __init__(self, node: yaml.Node, message: str) -> None:
        super().__init__(message)
        self.line = node.start_mark.line + 1


def read(path: Path, data: bytes) -> list[Expectation]:
    """Return the expectations of a file.

    :raises MalformedExpectations: there are none, or they are malformed
    """
    root = _compose(path, data)
    found: list[Expectation] = []
    problems: list[_Problem] = []
    for node in _items(root):
        try:
            found.append(_expectation(node))
        except _Problem as problem:
            problems.append(problem)
    if problems:
        lines = [f"{path}:{each.line}: {each}" for each in problems]
        raise MalformedExpectations("\n".join(lines))
    return found


def _join(names: Iterable[str]) -> str:
    """Return names in quotation marks."""
    return ", ".join(f'"{name}"' for name in names)


def _compose(path: Path, data: bytes) -> yaml.Node:
    first_pass = scan.Scan()
    text = ""
    try:
        text = data.decode("utf-8-sig")
        first_pass.run(text)
        root = yaml.compose(text, Loader=scan.LOADER)
    except UnicodeDecodeError as error:
        raise MalformedExpectations(f"{path}: It is not UTF-8.") from error
    except yaml.YAMLError as error:
        line, _column, problem = scan.describe(text, error, first_pass)
        raise MalformedExpectations(
            f"{path}:{line}: It is not valid YAML: {problem}."
        ) from error
    if not isinstance(root, yaml.SequenceNode) or not root.value:
        raise MalformedExpectations(
            f"{path}: It is not a list of expectations. Begin each with "
            '"- name: ".'
        )
    return root


def _expectation(node: yaml.Node) -> Expectation:
    """Return an expectation.

    :raises _Problem: it is malformed
    """
    values = _object(node, _KEYS)
    for key in ("name", "servers"):
        if key not in values:
            raise _Problem(node, f'The key "{key}" is missing.')
    if ("operation" in values) == ("rule" in values):
        raise _Problem(node, 'Write either "operation" or "rule".')
    if not values.keys() & {"allowed", "refused", "only"}:
        raise _Problem(node, 'Write "allowed", "refused" or "only".')
    servers = _text(values["servers"])
    if servers not in _SERVERS:
        raise _Problem(
            values["servers"], f'"servers" must be {_join(_SERVERS)}.'
        )
    for key in ("operation", "rule", "allowed", "refused"):
        if key in values and not _list(values[key]):
            raise _Problem(values[key], f'"{key}" is an empty list.')
    only = values.get("only")
    return Expectation(
        name=_text(values["name"]),
        line=node.start_mark.line + 1,
        subjects=_texts(values.get("operation") or values["rule"]),
        servers=_SERVERS[servers],
        allowed=_callers(values.get("allowed")),
        refused=_callers(values.get("refused")),
        only=None if only is None else _callers(only),
    )


def _callers(node: yaml.Node | None) -> tuple[Caller, ...]:
    """Return callers: each a role, a list of roles, or an object."""
    if node is None:
        return ()
    return tuple(map(_caller, _items(node)))


def _caller(node: yaml.Node) -> Caller:
    if not isinstance(node, yaml.MappingNode):
        return Caller(roles=_texts(node))
    values = _object(node, _CALLER_KEYS)
    attributes = values.get("attributes")
    return Caller(
        roles=_texts(values["roles"]) if "roles" in values else (),
        service_roles=(
            _texts(values["service_roles"])
            if "service_roles" in values
            else ()
        ),
        attributes=_attributes(attributes) if attributes else {},
    )


def _object(node: yaml.Node, keys: tuple[str, ...]) -> dict[str, yaml.Node]:
    """Return the values of an object."""
    if not isinstance(node, yaml.MappingNode):
        raise _Problem(node, f"It is not an object with {_join(keys)}.")
    values: dict[str, yaml.Node] = {}
    for key, value in node.value:
        name = _text(key)
        if name not in keys:
            similar = difflib.get_close_matches(name, keys, 1)
            hint = f'Write "{similar[0]}"' if similar else f"Use {_join(keys)}"
            raise _Problem(key, f'Unknown key "{name}". {hint}.')
        if name in values:
            raise _Problem(key, f'The key "{name}" is repeated.')
        values[name] = value
    return values


def _items(node: yaml.Node) -> list[yaml.Node]:
    if not isinstance(node, yaml.SequenceNode):
        raise _Problem(node, "It is not a list of callers.")
    items: list[yaml.Node] = node.value
    return items


def _list(node: yaml.Node) -> list[yaml.Node]:
    """Return the items of a list, or what is not a list as the only one."""
    return _items(node) if isinstance(node, yaml.SequenceNode) else [node]


def _texts(node: yaml.Node) -> tuple[str, ...]:
    return tuple(map(_text, _list(node)))


def _attributes(node: yaml.Node) -> dict[str, Value]:
    values = _object(node, _ATTRIBUTES)
    return {
        # The only one that is not a text.
        name: _boolean(each) if name == "is_admin_project" else _text(each)
        for name, each in values.items()
    }


def _boolean(node: yaml.Node) -> bool:
    if node.value not in {"true", "false"}:
        raise _Problem(node, 'It must be "true" or "false".')
    return bool(node.value == "true")


def _text(node: yaml.Node) -> str:
    if node.tag != "tag:yaml.org,2002:str" or not node.value.strip():
        raise _Problem(node, "It is not text. Write it in quotation marks.")
    text: str = node.value
    return text
