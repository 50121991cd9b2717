# SPDX-License-Identifier: Apache-2.0
"""The JSON documents in ``results``, one for each kind of measurement.

``report`` makes the documentation from them.  A list has one value per round.
"""

from collections.abc import Mapping
from typing import NotRequired, TypeAlias, TypedDict


class Machine(TypedDict):
    """The hardware and software that produced the figures."""

    date: str
    cpu: str
    cores: int | None
    memory_gib: float
    kernel: str
    python: str
    wrk: str
    packages: dict[str, str]
    socat: NotRequired[str]


class Series(TypedDict):
    """The rounds of one measurement: requests per second, milliseconds."""

    rate: list[float]
    p50: list[float]
    p99: list[float]


#: A series for each program.
Programs = Mapping[str, Series]

#: A series for each size, in ascending order.
Sizes = Mapping[str, Series]


class Settings(TypedDict):
    """How the load was generated, and for how long."""

    rounds: int
    seconds: int
    threads: int
    connections: int
    workers: NotRequired[int]
    connections_workers: NotRequired[int]


class CompareDatabase(TypedDict):
    """One database of a comparison; memory in MiB per worker."""

    version: str
    memory: dict[str, float]
    operations: Mapping[str, Programs]


class Compare(TypedDict):
    """console_api beside the alternatives; a reason for each one skipped."""

    machine: Machine
    settings: Settings
    databases: dict[str, CompareDatabase]
    skipped: dict[str, str]


class Consoles(TypedDict):
    """Lists and creations, by the number of consoles on the host."""

    list: Sizes
    create: Sizes
    port_search: Sizes


class Purge(TypedDict):
    """Look-ups before and during a purge, and how long the purge took."""

    tokens: int
    seconds: float
    usual: Series
    during: Series


class GrowthDatabase(TypedDict):
    """One database of a growth measurement."""

    version: str
    tokens: Sizes
    consoles: Consoles
    purge: Purge
    workers: Sizes


class Growth(TypedDict):
    """How console_api scales."""

    machine: Machine
    settings: Settings
    databases: dict[str, GrowthDatabase]


class Samples(TypedDict):
    """Microseconds of one request, by layer."""

    requests: int
    statuses: NotRequired[list[str]]
    microseconds: float
    layers: dict[str, float]


class ProfileDatabase(TypedDict):
    """One database of a profile."""

    version: str
    operations: dict[str, Samples]


class ProfileSettings(TypedDict):
    """For how long each operation was sampled."""

    seconds: int


class Profile(TypedDict):
    """Where the time of a request goes."""

    machine: Machine
    settings: ProfileSettings
    databases: dict[str, ProfileDatabase]


class AgentConsoles(TypedDict):
    """Seconds and memory that an agent with many consoles takes."""

    count: int
    start: list[float]
    start_empty: list[float]
    memory_kib: int
    create: list[float]
    delete: list[float]


class Sessions(TypedDict):
    """Memory of idle sessions."""

    count: int
    kib_each: float
    tls_kib_each: float


class AgentSettings(TypedDict):
    """How often, and for how long each, bytes were counted."""

    rounds: int
    seconds: int


#: By the name of a measurement, the value of each round.
Forwarded: TypeAlias = dict[str, list[float]]


class Soak(TypedDict):
    """Memory of a gateway while sessions come and go, in KiB by minute."""

    machine: Machine
    minutes: int
    sessions: int
    kib: list[int]


class Gateway(TypedDict):
    """What the gateway forwards beside other programs."""

    machine: Machine
    settings: AgentSettings
    version: str
    measured: dict[str, Forwarded]
    tls_kib_each: float


class Agent(TypedDict):
    """What the agent of a console host takes."""

    machine: Machine
    settings: AgentSettings
    version: str
    consoles: AgentConsoles
    bytes_per_second: dict[str, list[int]]
    sessions: Sessions
