# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks``: measure, print a table, write a JSON file."""

import argparse
import json
import re
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from benchmarks import (
    agent,
    compare,
    databases,
    figures,
    growth,
    profile,
    programs,
    tables,
)
from benchmarks.operations import OPERATIONS

_KINDS: tuple[databases.Kind, ...] = get_args(databases.Kind)
_RESULTS = Path(__file__).parent / "results"
_VENV = Path(__file__).parents[1] / ".tox" / "nova"
_GROWTH_KINDS: tuple[databases.Kind, ...] = ("mysql", "postgresql")


def main() -> None:
    """Run the benchmarks; exits 1 with a sentence if they fail."""
    # So that servers and databases are cleaned up as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    arguments = _parser().parse_args()
    try:
        _run(arguments)
    except programs.BenchmarkError as error:
        sys.exit(f"benchmarks: {error}")
    except KeyboardInterrupt:
        sys.exit("benchmarks: interrupted; nothing is left behind.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure console_api beside a bare WSGI application and "
        "a real Nova.",
    )
    add = parser.add_argument
    add("--rounds", type=_positive, help="(default: 5; for growth: 3)")
    add("--seconds", type=_positive, default=2, help="of each (default: 2)")
    add("--databases", type=_choice(_KINDS), help="names, by commas")
    add("--operations", type=_choice(OPERATIONS), help="names, by commas")
    add("--quick", action="store_true", help="a trial: one short round")
    add("--growth", action="store_true", help="measure growth instead")
    add("--profile", action="store_true", help="measure the layers instead")
    add("--agent", action="store_true", help="measure the agent instead")
    add("--output", type=Path, help="the folder of the JSON file")
    add("--nova-venv", type=Path, default=_VENV, help="where Nova is, or goes")
    add("--mysql-url", help="an account that may create databases")
    add("--postgresql-url", help="an account that may create databases")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        message = "must be at least 1"
        raise argparse.ArgumentTypeError(message)
    return number


def _choice(allowed: Any) -> Any:
    def choose(text: str) -> Sequence[str]:
        chosen = text.split(",")
        strange = [name for name in chosen if name not in allowed]
        if strange:
            message = f"{strange[0]!r} is not one of {', '.join(allowed)}"
            raise argparse.ArgumentTypeError(message)
        return chosen

    return choose


def _run(arguments: argparse.Namespace) -> None:
    usual = _GROWTH_KINDS if arguments.growth else _KINDS
    rounds = arguments.rounds or (3 if arguments.growth else 5)
    settings = compare.Settings(
        kinds=arguments.databases or usual,
        names=arguments.operations or list(OPERATIONS),
        rounds=1 if arguments.quick else rounds,
        seconds=1 if arguments.quick else arguments.seconds,
        admin_urls=_admin_urls(arguments),
    )
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - started:4.0f} s] {text}", flush=True)

    if arguments.growth:
        document = growth.run(settings, say, quick=arguments.quick)
        name = "growth.json"
    elif arguments.profile:
        document = profile.run(settings, say)
        _print_profile(document)
        name = "profile.json"
    elif arguments.agent:
        document = agent.run(settings, say, quick=arguments.quick)
        _print_agent(document)
        name = "agent.json"
    else:
        document = compare.run(settings, arguments.nova_venv, say)
        _print(document)
        name = "compare.json"
    _write(arguments, name, document)


def _admin_urls(arguments: argparse.Namespace) -> dict[str, str]:
    given = {
        "mysql": arguments.mysql_url,
        "postgresql": arguments.postgresql_url,
    }
    return {kind: url for kind, url in given.items() if url}


def _print(document: dict[str, Any]) -> None:
    for database in document["databases"].values():
        print(f"\n{database['version']}")
        print(
            f"{'operation':14}{'program':13}{'rate/s':>8}"
            f"{'from..to':>14}{'p50 ms':>8}{'p99 ms':>8}"
            f"{'of bare':>9}{'of Nova':>9}"
        )
        for row in figures.rows(database["operations"]):
            spread = f"{row.lowest:.0f}..{row.highest:.0f}"
            bare = f"{row.to_bare:.0%}" if row.to_bare else "n/a"
            times = f"{row.to_nova:.1f}x" if row.to_nova else "n/a"
            print(
                f"{row.operation:14}{row.program:13}{row.rate:8.0f}"
                f"{spread:>14}{row.p50:8.1f}{row.p99:8.1f}"
                f"{bare:>9}{times:>9}"
            )
        for program, size in database["memory"].items():
            print(f"memory of a worker: {program:13}{size:6.0f} MiB")
    for name, reason in document["skipped"].items():
        print(f"left out: {name}: {reason}")


def _print_profile(document: dict[str, Any]) -> None:
    for database in document["databases"].values():
        for name, found in database["operations"].items():
            print(f"\n{database['version']}, {name}, microseconds a request")
            for layer, spent in found["layers"].items():
                print(f"{layer:24}{spent:8.1f}")


def _print_agent(document: dict[str, Any]) -> None:
    for make in (
        tables.agent_consoles,
        tables.agent_bytes,
        tables.agent_memory,
    ):
        print(f"\n{make(document)}")


def _write(
    arguments: argparse.Namespace, name: str, document: dict[str, Any]
) -> None:
    """Write the JSON file; a trial is not worth one unless asked for."""
    if arguments.quick and not arguments.output:
        return
    folder = arguments.output or _RESULTS
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=1, ensure_ascii=False)
    # The values of the rounds on one line.
    text = re.sub(
        r"\[[^\[\]{}]*\]", lambda found: " ".join(found[0].split()), text
    )
    (folder / name).write_text(f"{text}\n")
    print(f"Written: {folder / name}")


if __name__ == "__main__":
    main()
