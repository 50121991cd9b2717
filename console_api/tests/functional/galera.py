# SPDX-License-Identifier: Apache-2.0
"""A Galera cluster of three MariaDB servers behind HAProxy, for tests.

The configuration is that of the guide "Database cluster", with other
addresses, ports and paths.
"""

from collections.abc import Callable, Sequence

from sqlalchemy.engine import URL

from console_api.tests.functional import configuration, examples
from console_api.tests.functional.database_proxy import DatabaseProxy
from console_api.tests.functional.databases import TestDatabase
from console_api.tests.functional.failover import Event
from console_api.tests.functional.galera_node import SYNCED, Node
from console_api.tests.waiting import wait_until

# The addresses of the nodes in the examples, and the nodes that are preferred
# as their donors.
_NODES = {
    "db1": ("198.51.100.21", "db3"),
    "db2": ("198.51.100.22", "db3"),
    "db3": ("198.51.100.23", "db2"),
}

_DATABASE = "console_api"
_PASSWORD = "secret"


class GaleraCluster:
    """Three nodes, of which HAProxy chooses the writer."""

    switches_back = True

    def __init__(self, *, hurries: bool = False) -> None:
        """Start the nodes and HAProxy.

        :param hurries: whether to tell HAProxy when the first node is healthy
            again, instead of waiting for its checks
        """
        self._hurries = hurries
        folder = configuration.temporary_folder()
        self._nodes = {name: Node(folder / name, name) for name in _NODES}
        self._configure()
        first, *others = self._nodes.values()
        first.install()
        first.start("--wsrep-new-cluster")
        wait_until(lambda: first.status("wsrep_local_state") == SYNCED)
        for statement in _statements():
            first.execute(statement)
        for node in others:
            node.start()
        self._proxy = DatabaseProxy(
            "haproxy-galera.cfg",
            {
                f"{address}:3306": f"127.0.0.1:{self._nodes[name].port}"
                for name, (address, _) in _NODES.items()
            },
        )
        self._return(lambda: None)
        wait_until(lambda: self.writer == first.name)

    def stop(self) -> None:
        """Kill the nodes and stop HAProxy."""
        for node in self._nodes.values():
            node.kill()
        self._proxy.stop()

    @property
    def writer(self) -> str | None:
        """The node that new connections reach, None without any."""
        return self._proxy.writer

    @property
    def is_settled(self) -> bool:
        """Whether at most one node does not pass the checks of HAProxy."""
        return len(self._proxy.healthy) >= len(self._nodes) - 1

    @property
    def database(self) -> TestDatabase:
        """The database through HAProxy."""
        return self._database(self._proxy.port)

    def counter(self, name: str) -> int:
        """Return the sum of a counter of all nodes."""
        return sum(
            int(node.status(name) or 0) for node in self._nodes.values()
        )

    def replicas(self) -> Sequence[TestDatabase]:
        """Return the database on each node."""
        return [self._database(node.port) for node in self._nodes.values()]

    def events(self) -> Sequence[Event]:
        """Return all kinds of events; each happens to the first node."""
        node = next(iter(self._nodes.values()))
        return [
            Event("kill", node.kill, lambda: self._return(node.start)),
            Event("freeze", node.freeze, lambda: self._return(node.thaw)),
            Event(
                "read-only",
                lambda: node.set_read_only(True),
                lambda: self._return(lambda: node.set_read_only(False)),
            ),
            Event(
                "isolated",
                lambda: node.set_isolated(True),
                lambda: self._return(lambda: node.set_isolated(False)),
            ),
            Event(
                "maintenance",
                lambda: self._begin_maintenance(node),
                lambda: self._end_maintenance(node),
            ),
        ]

    def _begin_maintenance(self, node: Node) -> None:
        self._proxy.command(f"set server galera/{node.name} state maint")
        node.shut_down()

    def _end_maintenance(self, node: Node) -> None:
        self._return(node.start)
        self._proxy.command(f"set server galera/{node.name} state ready")

    def _return(self, undo: Callable[[], None]) -> None:
        """Undo an event and wait until the cluster is complete."""
        undo()
        wait_until(lambda: all(map(self._is_complete, self._nodes.values())))
        if self._hurries:
            self._proxy.command("set server galera/db1 health up")

    def _is_complete(self, node: Node) -> bool:
        """Return whether a node knows all others, and is synchronized."""
        return (
            node.status("wsrep_cluster_size") == str(len(self._nodes))
            and node.status("wsrep_local_state") == SYNCED
        )

    def _configure(self) -> None:
        addresses = {
            address: f"127.0.0.1:{self._nodes[name].cluster_port}"
            for name, (address, _) in _NODES.items()
        }
        for name, (address, donor) in _NODES.items():
            first, _ = _NODES["db1"]
            self._nodes[name].configure(
                {
                    "bind_address = 198.51.100.21": "bind_address = 127.0.0.1",
                    "wsrep_node_name = db1": f"wsrep_node_name = {name}",
                    f"wsrep_node_address = {first}": (
                        f"wsrep_node_address = {addresses[address]}"
                    ),
                    "wsrep_sst_donor = db3,": f"wsrep_sst_donor = {donor},",
                    **addresses,
                }
            )

    def _database(self, port: int) -> TestDatabase:
        return TestDatabase(
            "mysql",
            URL.create(
                "mysql+pymysql",
                "console_api",
                _PASSWORD,
                "127.0.0.1",
                port,
                _DATABASE,
            ),
        )


def _statements() -> list[str]:
    """Return the statements of the example that creates accounts."""
    text = (examples.FOLDER / "galera.sql").read_text()
    if "'PASSWORD'" not in text:
        raise AssertionError("galera.sql does not contain 'PASSWORD'")
    text = text.replace("'PASSWORD'", f"'{_PASSWORD}'")
    return [part for part in text.strip().split(";") if part]
