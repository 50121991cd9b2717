# SPDX-License-Identifier: Apache-2.0
"""Many failovers: ``python -m console_api.tests.functional.stress``."""

import argparse
import dataclasses
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from console_api.tests.functional.failover import GRACE, Cluster, Site
from console_api.tests.functional.failover_figures import Figures
from console_api.tests.functional.galera import GaleraCluster
from console_api.tests.functional.postgresql_standby import PostgreSQLStandby

_CLUSTERS: dict[str, Callable[[], Cluster]] = {
    "galera": GaleraCluster,
    "postgresql": PostgreSQLStandby,
}


def main() -> None:
    """Run the test; exit with 1 if anything was lost or refused too late."""
    arguments = _parse()
    figures: list[Figures] = []
    problems: list[str] = []
    for name in arguments.cluster or list(_CLUSTERS):
        found, wrong = _run(name, arguments.event, arguments.rounds)
        figures += found
        problems += wrong
    print(_table(figures))
    for problem in problems:
        print(problem)
    print(f"Problems: {len(problems)}")
    if arguments.json:
        document = {
            "switches": [dataclasses.asdict(one) for one in figures],
            "problems": problems,
        }
        arguments.json.write_text(json.dumps(document, indent=1) + "\n")
    sys.exit(bool(problems))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tox -e stress --",
        description="Fail over a database cluster under load.",
    )
    parser.add_argument(
        "--cluster",
        action="append",
        choices=_CLUSTERS,
        help="the kind of cluster; can be repeated (default: all)",
    )
    parser.add_argument(
        "--event",
        action="append",
        help="the kind of event, such as kill; can be repeated (default: all)",
    )
    parser.add_argument(
        "--rounds",
        type=int,
        default=10,
        help="the number of events of each kind (default: 10)",
    )
    parser.add_argument(
        "--json", type=Path, help="the file to write the figures to"
    )
    return parser.parse_args()


def _run(
    name: str, events: Sequence[str] | None, rounds: int
) -> tuple[list[Figures], list[str]]:
    """Let events happen to one cluster; return figures and problems."""
    print(f"{name}: starting", flush=True)
    began_at = time.monotonic()
    figures: list[Figures] = []
    cluster = _CLUSTERS[name]()
    try:
        site = Site(cluster)
        for number in range(1, rounds + 1):
            for event in cluster.events():
                if events and event.name not in events:
                    continue
                switches = site.run(event, settle=GRACE)
                _print_progress(
                    f"{name}: {time.monotonic() - began_at:.0f} s, round "
                    f"{number} of {rounds}",
                    switches,
                )
                figures += switches
        print(f"{name}: comparing", flush=True)
        return figures, site.stop()
    except TimeoutError as error:
        return figures, [f"{name}: given up. {error}"]
    finally:
        cluster.stop()


def _print_progress(prefix: str, switches: Sequence[Figures]) -> None:
    for one in switches:
        print(
            f"{prefix}, {one.event}: {one.refusals} of {one.requests} "
            f"requests refused, no writes for {one.interrupted:.1f} s",
            flush=True,
        )


def _table(figures: Sequence[Figures]) -> str:
    """Return medians and maxima of all events of a kind."""
    lines = [
        f"{'Median / maximum':22}{'Number':>8}{'New writer, s':>16}"
        f"{'No writes, s':>16}{'Last 503, s':>16}{'503':>12}"
    ]
    by_event = attrgetter("event")
    for event, group in groupby(sorted(figures, key=by_event), by_event):
        switches = list(group)
        columns = [
            f"{statistics.median(values):.1f} / {max(values):.1f}"
            for values in (
                [one.switched for one in switches],
                [one.interrupted for one in switches],
                [one.refused for one in switches],
            )
        ]
        refusals = [one.refusals for one in switches]
        lines.append(
            f"{event:22}{len(switches):8}"
            + "".join(f"{column:>16}" for column in columns)
            + f"{statistics.median(refusals):6.0f} / {max(refusals)}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
