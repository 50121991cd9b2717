# SPDX-License-Identifier: Apache-2.0
"""Invalid domains, as the users of a cloud see them.

The daemons are libvirt's test driver; ``test_real_libvirt`` has a real one
that hangs and is killed.
"""

import functools
import uuid

from console_api.db import tables
from console_api.tests.functional import base, configuration, servers
from console_api.tests.functional.servers import Server
from console_api.tests.unit import base as unit_base
from console_api.tests.unit.directory.libvirt.domains import (
    METADATA,
    PAUSED,
    RUNNING,
    domain,
    node,
)
from console_api.tests.unit.directory.libvirt.test_directory import (
    require_libvirt,
)

REPORTED_TWICE, MIGRATING, WITHOUT_METADATA, UNKNOWN_VERSION, NOT_NOVAS = (
    str(uuid.uuid4()) for _ in range(5)
)


@functools.cache
def _uris() -> str:
    """Create two hosts with domains; return the value of ``uris``."""
    newer = METADATA.replace("nova/1.1", "nova/2.0")
    folder = configuration.temporary_folder()
    for host, domains in (
        (
            "c1",
            (
                domain(uuid=REPORTED_TWICE, state=RUNNING),
                domain(uuid=MIGRATING, state=PAUSED),
                domain(uuid=WITHOUT_METADATA, metadata="", state=RUNNING),
                domain(uuid=UNKNOWN_VERSION, metadata=newer, state=RUNNING),
                domain(uuid=NOT_NOVAS, metadata="", state=RUNNING),
            ),
        ),
        (
            "c2",
            (
                domain(uuid=REPORTED_TWICE, state=RUNNING),
                domain(uuid=MIGRATING, state=RUNNING),
            ),
        ),
    ):
        # libvirt requires unique names.
        names = [
            text.replace("instance-00000001", f"instance-{number}")
            for number, text in enumerate(domains)
        ]
        (folder / f"{host}.xml").write_text(node(*names))
    # Each value of the option has its own line.
    return f"c1=test://{folder}/c1.xml\nuris = c2=test://{folder}/c2.xml"


class BadLibvirtTest(base.FunctionalTestCase):
    backend = "sqlite"

    def choose_server(self) -> Server:
        require_libvirt()
        options = {
            "directory": {"driver": "libvirt", "cache_seconds": "0"},
            # Consoles of missing servers are deleted at once.
            "libvirt": {"uris": _uris(), "gone_after": "0"},
        }
        return servers.shared(self.backend, options)

    def setUp(self) -> None:
        super().setUp()
        self.project = unit_base.PROJECT
        self.member = self.client("user")
        self.stranger = self.client("user", project=uuid.uuid4().hex)
        self.host = self.make_console_host(compute_hosts="c?")

    def store_console(self, server_id: str) -> str:
        """Store a console of an earlier time; return its path."""
        self.make_server(uuid=server_id, compute_host="c1")
        host = self.console_host(self.host)
        self.database.execute(
            tables.consoles.insert(),
            {
                "server_id": server_id,
                "console_host_id": host.id,
                "console_type": host.console_type,
                "instance_name": "instance-1",
                "port": 20000 + self.database.count(tables.consoles),
                "encrypted_password": "unreadable",
                "created_at": 1,
            },
        )
        [row] = self.console_rows(server_id)
        return f"/servers/{server_id}/consoles/{row.id}"

    def test_invalid_domain_is_503(self) -> None:
        for server_id, words in (
            (REPORTED_TWICE, "is reported by more than one host: c1, c2"),
            (WITHOUT_METADATA, "c1: no metadata"),
            (UNKNOWN_VERSION, "unknown metadata version '2.0'"),
        ):
            path = self.store_console(server_id)
            for client in (self.member, self.stranger):
                with self.subTest(words):
                    reply = client.get(path)
                    self.assert_fault(reply, 503)
                    self.assertEqual("5", reply.headers["Retry-After"])
                    line = f"erver {server_id}"
                    found = [
                        text
                        for text in self.server.log.splitlines()
                        if line in text and words in text
                    ]
                    self.assertTrue(found)
            self.assertEqual(1, len(self.console_rows(server_id)))

    def test_migrating_server_is_found_where_it_runs(self) -> None:
        path = f"/servers/{MIGRATING}/consoles"
        self.assertEqual(200, self.member.post(path).status)
        self.assertEqual(1, len(self.console_rows(MIGRATING)))
        self.assert_fault(self.stranger.post(path), 404)

    def test_domain_not_created_by_nova_is_404(self) -> None:
        path = f"/servers/{NOT_NOVAS}/consoles"
        self.assert_fault(self.member.post(path), 404)
        self.assertIn(
            f"Domain {NOT_NOVAS} was not created by Nova on c1: no metadata",
            self.server.log,
        )
