# SPDX-License-Identifier: Apache-2.0
"""What is meant by the names of rules that do not exist."""

import difflib
import functools
import itertools
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from console_api import policies
from console_api.policies import (
    console_auth_tokens,
    console_hosts,
    consoles,
    remote_consoles,
    servers,
)
from console_api.policy import characters

# How similar a name must be to one of ours to be taken for a misspelling.
_SIMILARITY = 0.9
# Maximum number of names that a name is compared with.
_MAX_COMPARED = 500

_PREFIX = "os_compute_api:"

# Names that begin like this are of our resources.
_OURS = (
    f"{consoles.ROOT}:",
    f"{console_auth_tokens.SHOW}:",
    f"{remote_consoles.CREATE}:",
    f"{console_hosts.ROOT}:",
)

# Rules of Nova that are similar to ours.
_NOVA = {
    f"{_PREFIX}servers:index:get_all_tenants",
    f"{_PREFIX}servers:detail:get_all_tenants",
}

# Names from before 2016, by today's.
_FORMER = {
    **{
        f"compute:get_{kind}_console": (remote_consoles.CREATE,)
        for kind in ("vnc", "spice", "rdp", "serial", "mks")
    },
    "compute:get_all_tenants": (servers.ALL_TENANTS,),
    "compute_extension:console_auth_tokens": (console_auth_tokens.SHOW,),
    "compute_extension:console_hosts": (console_hosts.INDEX,),
    "compute_extension:consoles": (
        consoles.INDEX,
        consoles.CREATE,
        consoles.SHOW,
        consoles.DELETE,
    ),
}

DISCOVERABLE = ":discoverable"


@dataclass(frozen=True, slots=True)
class Unknown:
    """A name that no operation has, and the names that are meant."""

    message: str
    meant: Sequence[str] = ()


def identify(name: str) -> Unknown | None:
    """Return what is meant by an unknown name, None if it is not of ours."""
    if name in _FORMER:
        return Unknown(
            "The name is from before 2016; the compute API has other names "
            "today.",
            _FORMER[name],
        )
    if parts := [each for each in _known() if each.startswith(f"{name}:")]:
        return Unknown(
            f"No operation has the rule {name}: each operation has a rule of "
            "its own.",
            parts,
        )
    meant = _misspelled(name)
    if not meant and not name.startswith(_OURS):
        return None
    hidden = (
        characters.invisible(name)
        or characters.foreign(name)
        or ("a space" if " " in name else None)
    )
    return Unknown(
        "No operation has a rule of this name."
        + (f" It contains {hidden}." if hidden else ""),
        [meant] if meant else (),
    )


def similar(
    name: str, known: Iterable[str], similarity: float = 0.6
) -> str | None:
    """Return the known name that is meant by another one, None if unclear."""
    plain = _plain(name)
    others = (each for each in known if each != name)
    candidates = list(itertools.islice(others, _MAX_COMPARED))
    for each in candidates:
        if _plain(each) == plain:
            return each
    if len(plain) > len("consoles"):
        for each in candidates:
            if each.startswith(_PREFIX) and _plain(each).endswith(plain):
                return each
    found = difflib.get_close_matches(name, candidates, 1, similarity)
    return found[0] if found else None


def _misspelled(name: str) -> str | None:
    if name in _NOVA:
        return None
    for each in _known():
        if name.startswith(f"{each}:"):
            return each
    # Excludes most names of other services quickly.
    start, end = _own_part(name)[:6], _own_part(name)[-6:]
    near = [
        each
        for each in _known()
        if _own_part(each).startswith(start) or _own_part(each).endswith(end)
    ]
    found = similar(name, near, _SIMILARITY)
    if not found and "console" in name and not name.startswith(_PREFIX):
        found = similar(f"{_PREFIX}{name}", _known(), _SIMILARITY)
    return found


def _own_part(name: str) -> str:
    return _plain(name).removeprefix(_plain(_PREFIX))


@functools.cache
def _known() -> tuple[str, ...]:
    return tuple(rule.name for rule in policies.list_rules())


@functools.lru_cache(_MAX_COMPARED)
def _plain(name: str) -> str:
    """Return a name without what is easily mistaken in it."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", name).casefold())
