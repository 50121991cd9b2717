# SPDX-License-Identifier: Apache-2.0
"""Format the measurements as reStructuredText."""

import statistics
import textwrap
from collections.abc import Callable, Mapping, Sequence

from benchmarks import documents, figures, rst
from benchmarks.operations import OPERATIONS, PROGRAMS

# The packages that matter most; the JSON file lists more.
_PACKAGES = ("console-api", "nova", "gunicorn", "SQLAlchemy", "PyMySQL")
_MISSING = "n/a"


def conditions(document: documents.Compare | documents.Growth) -> str:
    """Return a paragraph about machine, software and settings."""
    machine, settings = document["machine"], document["settings"]
    versions = [
        f"{name} {machine['packages'][name]}"
        for name in _PACKAGES
        if name in machine["packages"]
    ]
    text = (
        f"Measured on {machine['date']}: {machine['cpu']}, "
        f"{machine['cores']} cores, {machine['memory_gib']} GiB, "
        f"{machine['kernel']}; Python {machine['python']}, "
        f"{', '.join(versions)}; Gunicorn with one worker of "
        f"{settings['threads']} threads, {settings['connections']} "
        f"connections from wrk {machine['wrk']} on the same machine; median "
        f"of {settings['rounds']} rounds of {settings['seconds']} seconds."
    )
    return textwrap.fill(text, 79, break_on_hyphens=False)


def details(operations: Mapping[str, documents.Programs]) -> str:
    """Return a table of all figures, one operation and program per row."""
    lines = [
        [
            OPERATIONS[row.operation].title,
            figures.TITLES[row.program],
            f"{row.rate:,.0f}",
            f"{row.min_rate:,.0f} to {row.max_rate:,.0f}",
            f"{row.p50:.2f}",
            f"{row.p99:.2f}",
            *_ratios(row),
        ]
        for row in figures.rows(operations)
    ]
    header = ["Operation", "Program", "per second", "min to max"]
    header += ["p50 ms", "p99 ms", "of bare", "of Nova"]
    return rst.table(header, lines)


def _ratios(row: figures.Row) -> list[str]:
    return [
        f"{row.to_bare:.0%}" if row.to_bare else _MISSING,
        f"{row.to_nova:.1f} x" if row.to_nova else _MISSING,
    ]


def not_available() -> str:
    """Return a paragraph about the figures that are missing."""
    reasons: dict[str, list[str]] = {}
    for operation in OPERATIONS.values():
        for reason in (operation.missing or {}).values():
            reasons.setdefault(reason, []).append(operation.title.strip("… "))
    parts = [
        f"{', '.join(titles).lower()}: {reason}"
        for reason, titles in reasons.items()
    ]
    return textwrap.fill(f"{_MISSING}: {'; '.join(parts)}.", 79)


def memory(document: documents.Compare) -> str:
    """Return a table of the resident memory per worker of each program."""
    lines = [
        [
            found["version"],
            *(
                f"{found['memory'][program]:.0f}"
                if program in found["memory"]
                else _MISSING
                for program in PROGRAMS
            ),
        ]
        for found in document["databases"].values()
    ]
    header = [f"{figures.TITLES[program]}, MiB" for program in PROGRAMS]
    return rst.table(["Database", *header], lines)


def by_size(
    document: documents.Growth,
    select: Callable[[documents.GrowthDatabase], documents.Sizes],
    title: str,
    *,
    has_rates: bool = True,
) -> str:
    """Return a table of the figures of each database, one size per row.

    :param select: returns the measurement to show
    :param title: what the sizes count
    :param has_rates: whether the requests per second are meaningful
    """
    databases = list(document["databases"].values())
    header = [title]
    for found in databases:
        if has_rates:
            header.append(f"{found['version']}, per second")
        header += [f"{found['version']}, p50 ms", "p99 ms"]
    lines = []
    for size in select(databases[0]):
        line = [f"{int(size):,}"]
        for found in databases:
            series = select(found)[size]
            if has_rates:
                line.append(f"{statistics.median(series['rate']):,.0f}")
            line.append(f"{statistics.median(series['p50']):.2f}")
            line.append(f"{statistics.median(series['p99']):.2f}")
        lines.append(line)
    return rst.table(header, lines)


def purge(document: documents.Growth) -> str:
    """Return a table of the figures of the purge, one database per row."""
    lines = []
    for found in document["databases"].values():
        one = found["purge"]
        usual = statistics.median(one["usual"]["p99"])
        during = statistics.median(one["during"]["p99"])
        lines.append(
            [
                found["version"],
                f"{one['tokens']:,}",
                f"{one['seconds']:.0f}",
                f"{usual:.2f}",
                f"{during:.2f}",
                f"{during / usual:.1f} x",
            ]
        )
    header = ["Database", "Tokens purged", "seconds"]
    header += ["p99 ms before", "p99 ms during", "ratio"]
    return rst.table(header, lines)


def layers(operations: Mapping[str, documents.Samples]) -> str:
    """Return a table of microseconds per layer, one operation per column."""
    names = list(operations)
    spent = {name: operations[name]["layers"] for name in names}
    found = {layer: None for name in names for layer in spent[name]}
    ordered = sorted(
        found,
        key=lambda layer: -sum(spent[name].get(layer, 0) for name in names),
    )
    lines = [
        [layer, *(f"{spent[name].get(layer, 0):.0f}" for name in names)]
        for layer in ordered
    ]
    total = [f"{sum(spent[name].values()):.0f}" for name in names]
    return rst.table(["Layer", *names], [*lines, ["Sum", *total]])


def agent_conditions(document: documents.Agent) -> str:
    """Return a paragraph about machine and settings."""
    machine, settings = document["machine"], document["settings"]
    text = (
        f"Measured on {machine['date']}: {machine['cpu']}, "
        f"{machine['cores']} cores, {machine['memory_gib']} GiB, "
        f"{machine['kernel']}; Python {machine['python']}, "
        f"{document['version']}, socat {machine['socat']}; "
        f"{settings['rounds']} rounds, bytes for {settings['seconds']} "
        "seconds each."
    )
    return textwrap.fill(text, 79, break_on_hyphens=False)


def agent_consoles(document: documents.Agent) -> str:
    """Return a table of the times that starts and changes take."""
    found = document["consoles"]
    count = f"{found['count']:,} consoles"
    full = [
        with_all - without
        for with_all, without in zip(
            found["start"], found["start_empty"], strict=True
        )
    ]
    lines = [
        [f"Start until ready, {count}, s", *_spread(found["start"])],
        ["Start until ready, no consoles, s", *_spread(found["start_empty"])],
        ["Difference: full reconciliation, s", *_spread(full)],
        ["Creation until the port is open, s", *_spread(found["create"])],
        ["Deletion until the port is closed, s", *_spread(found["delete"])],
    ]
    return rst.table(["Measurement", "median", "min", "max"], lines)


def agent_bytes(document: documents.Agent) -> str:
    """Return a table of the throughput of one session, by forwarder."""
    measured = document["bytes_per_second"]
    lines = []
    for name, values in measured.items():
        ratios = [
            own / other
            for own, other in zip(measured["agent"], values, strict=True)
        ]
        megabytes = _spread([value / 1e6 for value in values], 0)
        lines.append([name, *megabytes, f"{statistics.median(ratios):.0%}"])
    header = ["Forwarder", "MB per second", "min", "max"]
    return rst.table([*header, "agent relative to it"], lines)


def agent_memory(document: documents.Agent) -> str:
    """Return a table of the memory of consoles and of idle sessions."""
    found, sessions = document["consoles"], document["sessions"]
    kib = f"{found['memory_kib']:,}"
    lines = [
        [f"Agent with {found['count']:,} consoles", kib],
        [
            f"Each of {sessions['count']:,} idle sessions",
            f"{sessions['kib_each']:.1f}",
        ],
        [
            f"Each of {sessions['count']:,} idle sessions with TLS",
            f"{sessions['tls_kib_each']:.1f}",
        ],
    ]
    return rst.table(["Resident memory", "KiB"], lines)


# Measurements of the gateway: their titles, and the factors of their values.
_GATEWAY = {
    "rate": ("MB/s, one session", 1e-6, 0),
    "cpu_per_gb": ("CPU s per GB, one session", 1, 2),
    "many_rate": ("MB/s, 100 sessions", 1e-6, 0),
    "many_cpu_per_gb": ("CPU s per GB, 100 sessions", 1, 2),
    "echo_cpu": ("CPU \N{MICRO SIGN}s per round trip, 100 sessions", 1e6, 0),
    "opens": ("Sessions opened per second", 1, 0),
    "first_p50": ("First byte, p50, ms", 1e3, 1),
    "first_p95": ("First byte, p95, ms", 1e3, 1),
}


def gateway_conditions(document: documents.Gateway) -> str:
    """Return a paragraph about machine and settings."""
    machine, settings = document["machine"], document["settings"]
    text = (
        f"Measured on {machine['date']}: {machine['cpu']}, "
        f"{machine['cores']} cores, {machine['memory_gib']} GiB, "
        f"{machine['kernel']}; Python {machine['python']}, "
        f"{document['version']}, socat {machine['socat']}; "
        f"{settings['rounds']} rounds, bytes for {settings['seconds']} "
        "seconds each."
    )
    return textwrap.fill(text, 79, break_on_hyphens=False)


def gateway_speed(document: documents.Gateway) -> str:
    """Return a table of medians by measurement and program."""
    measured = document["measured"]
    lines = []
    for key, (title, factor, digits) in _GATEWAY.items():
        medians = [
            f"{statistics.median(series[key]) * factor:,.{digits}f}"
            if key in series
            else "\N{EN DASH}"
            for series in measured.values()
        ]
        lines.append([title, *medians])
    return rst.table(["Measurement", *measured], lines)


def gateway_memory(document: documents.Gateway) -> str:
    """Return a table of the memory of idle sessions, and of the soak."""
    lines = [
        [f"Each idle session, {name}", f"{series['kib_each'][0]:,.1f}"]
        for name, series in document["measured"].items()
        if "kib_each" in series
    ]
    lines.append(
        [
            "Each idle session, console-api-gateway with TLS",
            f"{document['tls_kib_each']:,.1f}",
        ]
    )
    return rst.table(["Memory", "KiB"], lines)


def soak(document: documents.Soak) -> str:
    """Return a table of the memory by time, while sessions come and go."""
    samples = document["kib"]
    minutes = range(0, len(samples), max(1, len(samples) // 6))
    lines = [[f"{minute}", f"{samples[minute]:,}"] for minute in minutes]
    return rst.table(["Minutes", "KiB"], lines)


def soak_conditions(document: documents.Soak) -> str:
    """Return a sentence about the sessions."""
    return (
        f"{document['sessions']:,} sessions in {document['minutes']} minutes "
        f"({document['machine']['date']})."
    )


def _spread(values: Sequence[float], digits: int = 2) -> list[str]:
    chosen = (statistics.median(values), min(values), max(values))
    return [f"{value:,.{digits}f}" for value in chosen]
