# SPDX-License-Identifier: Apache-2.0
"""Run a ``console-api-agent`` with the configuration of a ``Stage``."""

from benchmarks import rfb_ends, stage
from console_api.tests.certificates import Authority
from console_api.tests.functional.agents import Agent, listening_ports

__all__ = ["configure", "listening_ports", "start"]


def configure(
    data: stage.Stage,
    ports: tuple[int, int],
    authority: Authority | None = None,
) -> None:
    """Write the options of the agent into the configuration of the API.

    All options that do not identify the console host have their defaults.

    :param ports: the lowest and the highest port
    :param authority: require TLS with its certificate
    """
    folder = data.folder / "console_api.conf.d"
    folder.mkdir(exist_ok=True)
    low, high = ports
    (folder / "agent.conf").write_text(
        "[agent]\nhost = console-1\n"
        f"compute_hosts = compute-*\nports = {low}-{high}\n"
        f"[vnc]\nlisten_address = {rfb_ends.ADDRESS}\n"
        f"endpoint_password = * {stage.PASSWORD}\n{_tls(authority)}"
    )


def _tls(authority: Authority | None) -> str:
    if authority is None:
        return ""
    return (
        f"tls_cert_file = {authority.certificate_file}\n"
        f"tls_key_file = {authority.key_file}\n"
        "tls_required = true\n"
    )


def start(data: stage.Stage) -> Agent:
    """Start an agent and wait until it is ready.

    :raises NotReady: it exited, or took too long
    """
    return Agent(data.folder)
