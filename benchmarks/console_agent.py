# SPDX-License-Identifier: Apache-2.0
"""Run a ``console-api-agent`` with the configuration of a ``Stage``."""

from benchmarks import rfb_ends, stage
from console_api.tests.functional.agents import Agent, listening_ports

__all__ = ["configure", "listening_ports", "start"]


def configure(data: stage.Stage, ports: tuple[int, int]) -> None:
    """Write the options of the agent into the configuration of the API.

    All options that do not identify the console host have their defaults.

    :param ports: the lowest and the highest port
    """
    folder = data.folder / "console_api.conf.d"
    folder.mkdir(exist_ok=True)
    low, high = ports
    (folder / "agent.conf").write_text(
        "[agent]\nhost = console-1\n"
        f"compute_hosts = compute-*\nports = {low}-{high}\n"
        f"[vnc]\nlisten_address = {rfb_ends.ADDRESS}\n"
        f"endpoint_password = * {stage.PASSWORD}\n"
    )


def start(data: stage.Stage) -> Agent:
    """Start an agent and wait until it is ready.

    :raises NotReady: it exited, or took too long
    """
    return Agent(data.folder)
