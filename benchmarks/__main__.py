# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks``: measure, print a summary, write a JSON file."""

import argparse
import json
import re
import signal
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import get_args

from benchmarks import (
    agent,
    compare,
    databases,
    documents,
    figures,
    gateway,
    growth,
    profile,
    programs,
    soak,
    tables,
)
from benchmarks.operations import OPERATIONS
from benchmarks.settings import Settings

_KINDS: tuple[databases.Kind, ...] = get_args(databases.Kind)
_RESULTS = Path(__file__).parent / "results"
_VENV = Path(__file__).parents[1] / ".tox" / "nova"
_GROWTH_KINDS: tuple[databases.Kind, ...] = ("mysql", "postgresql")


def main() -> None:
    """Run the benchmarks; exit with a message if they fail."""
    # Servers and databases are cleaned up as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    arguments = _parser().parse_args()
    try:
        _run(arguments)
    except programs.BenchmarkError as error:
        sys.exit(f"benchmarks: {error}")
    except KeyboardInterrupt:
        sys.exit("benchmarks: interrupted; everything has been cleaned up.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Compare console_api with a bare WSGI application and "
        "with Nova.",
    )
    add = parser.add_argument
    add(
        "--rounds",
        type=_positive,
        help="number of rounds (default: 5, with --growth: 3)",
    )
    add(
        "--seconds",
        type=_positive,
        default=2,
        help="duration of each measurement (default: 2)",
    )
    for name, choices in (("databases", _KINDS), ("operations", OPERATIONS)):
        add(
            f"--{name}",
            type=_choice(choices),
            help=f"comma-separated list of {', '.join(choices)} "
            "(default: all)",
        )
    add("--quick", action="store_true", help="run one short round as a trial")
    add(
        "--growth",
        action="store_true",
        help="measure how console_api scales instead",
    )
    add(
        "--profile",
        action="store_true",
        help="measure the layers of a request instead",
    )
    add("--agent", action="store_true", help="measure the agent instead")
    add(
        "--gateway",
        action="store_true",
        help="compare the gateway with socat and websockify instead",
    )
    add(
        "--soak",
        type=_positive,
        metavar="MINUTES",
        help="measure the memory of the gateway while sessions come and go "
        "instead",
    )
    add(
        "--output",
        type=Path,
        help="folder for the JSON file (default: benchmarks/results; with "
        "--quick, no file is written)",
    )
    add(
        "--nova-venv",
        type=Path,
        default=_VENV,
        help="virtual environment of Nova, created if necessary "
        "(default: %(default)s)",
    )
    for name in databases.ADMIN_URLS:
        add(
            f"--{name}-url",
            help="SQLAlchemy URL of an account that may create databases",
        )
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        message = "must be at least 1"
        raise argparse.ArgumentTypeError(message)
    return number


def _choice(allowed: Collection[str]) -> Callable[[str], Sequence[str]]:
    def choose(text: str) -> Sequence[str]:
        chosen = text.split(",")
        unknown = [name for name in chosen if name not in allowed]
        if unknown:
            message = f"{unknown[0]!r} is not one of {', '.join(allowed)}"
            raise argparse.ArgumentTypeError(message)
        return chosen

    return choose


def _run(arguments: argparse.Namespace) -> None:
    kinds = _GROWTH_KINDS if arguments.growth else _KINDS
    rounds = arguments.rounds or (3 if arguments.growth else 5)
    settings = Settings(
        kinds=arguments.databases or kinds,
        names=arguments.operations or list(OPERATIONS),
        rounds=1 if arguments.quick else rounds,
        seconds=1 if arguments.quick else arguments.seconds,
        admin_urls=_admin_urls(arguments),
    )
    started = time.monotonic()

    def log(text: str) -> None:
        print(f"[{time.monotonic() - started:4.0f} s] {text}", flush=True)

    if arguments.growth:
        grown = growth.run(settings, log, quick=arguments.quick)
        _write(arguments, "growth.json", grown)
    elif arguments.profile:
        profiled = profile.run(settings, log)
        _print_profile(profiled)
        _write(arguments, "profile.json", profiled)
    elif arguments.agent:
        measured = agent.run(settings, log, quick=arguments.quick)
        _print_agent(measured)
        _write(arguments, "agent.json", measured)
    elif arguments.gateway:
        forwarded = gateway.run(settings, log, quick=arguments.quick)
        _print_gateway(forwarded)
        _write(arguments, "gateway.json", forwarded)
    elif arguments.soak:
        soaked = soak.run(settings, log, arguments.soak)
        _write(arguments, "soak.json", soaked)
    else:
        compared = compare.run(settings, arguments.nova_venv, log)
        _print_comparison(compared)
        _write(arguments, "compare.json", compared)


def _admin_urls(arguments: argparse.Namespace) -> dict[str, str]:
    given = {
        "mysql": arguments.mysql_url,
        "postgresql": arguments.postgresql_url,
    }
    return {kind: url for kind, url in given.items() if url}


def _print_comparison(document: documents.Compare) -> None:
    for database in document["databases"].values():
        print(f"\n{database['version']}")
        print(
            f"{'operation':14}{'program':13}{'rate/s':>8}"
            f"{'min..max':>14}{'p50 ms':>8}{'p99 ms':>8}"
            f"{'of bare':>9}{'of Nova':>9}"
        )
        for row in figures.rows(database["operations"]):
            spread = f"{row.min_rate:.0f}..{row.max_rate:.0f}"
            bare = f"{row.to_bare:.0%}" if row.to_bare else "n/a"
            times = f"{row.to_nova:.1f}x" if row.to_nova else "n/a"
            print(
                f"{row.operation:14}{row.program:13}{row.rate:8.0f}"
                f"{spread:>14}{row.p50:8.1f}{row.p99:8.1f}"
                f"{bare:>9}{times:>9}"
            )
        for program, size in database["memory"].items():
            print(f"memory per worker: {program:13}{size:6.0f} MiB")
    for name, reason in document["skipped"].items():
        print(f"skipped: {name}: {reason}")


def _print_profile(document: documents.Profile) -> None:
    for database in document["databases"].values():
        for name, found in database["operations"].items():
            print(f"\n{database['version']}, {name}, microseconds per request")
            for layer, spent in found["layers"].items():
                print(f"{layer:24}{spent:8.1f}")


def _print_agent(document: documents.Agent) -> None:
    for make in (
        tables.agent_consoles,
        tables.agent_bytes,
        tables.agent_memory,
    ):
        print(f"\n{make(document)}")


def _print_gateway(document: documents.Gateway) -> None:
    for make in (tables.gateway_speed, tables.gateway_memory):
        print(f"\n{make(document)}")


def _write(
    arguments: argparse.Namespace, name: str, document: Mapping[str, object]
) -> None:
    """Write the JSON file; for a trial, only if a folder was given."""
    if arguments.quick and not arguments.output:
        return
    folder = arguments.output or _RESULTS
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=1, ensure_ascii=False)
    # Put the values of all rounds on one line.
    text = re.sub(
        r"\[[^\[\]{}]*\]", lambda found: " ".join(found[0].split()), text
    )
    (folder / name).write_text(f"{text}\n")
    print(f"Written: {folder / name}")


if __name__ == "__main__":
    main()
