# SPDX-License-Identifier: Apache-2.0
from console_api import errors
from console_api.tests.unit import base
from console_api.tests.unit.base import SERVER
from console_api.tests.unit.directory.libvirt import domains
from console_api.tests.unit.directory.libvirt.domains import SHUT_OFF
from console_api.tests.unit.directory.libvirt.test_directory import (
    VNC,
    LibvirtCase,
)
from console_api.tokens.manager import TokenManager

BEFORE = domains.domain(VNC)

AUTOPORT = domains.graphics("vnc", 'port="-1" autoport="yes"')


class TokensTest(LibvirtCase):
    """Tokens are honored only for where libvirt says the domain is."""

    def setUp(self) -> None:
        super().setUp()
        self.directory = self.make_directory(
            self.uri("c1"), self.uri("c2"), gone_after=60
        )
        self.tokens = TokenManager(
            self.database, self.directory, 600, {"novnc": "http://host/"}
        )

    def define(self, c1: str, c2: str = "") -> None:
        """Replace the domains of the two hosts."""
        self.uri("c1", c1)
        self.uri("c2", c2)
        for daemon in self.directory._daemons:
            # The test driver reads its file when it connects.
            daemon._connection = None

    def issue(self) -> bytes:
        """Issue a token for the display of the first host."""
        self.define(BEFORE)
        server = self.directory.get(SERVER)
        url = self.tokens.issue(server, "vnc", "novnc", "a-user").url
        return url.rpartition("%3D")[2].encode()

    def test_token_of_unchanged_domain_is_valid(self) -> None:
        token = self.issue()
        self.define(BEFORE, domains.domain(AUTOPORT, state=SHUT_OFF))
        self.assertEqual(5901, self.tokens.check(token).port)

    def test_token_of_changed_domain_is_revoked(self) -> None:
        project = domains.METADATA.replace(base.PROJECT, base.OTHER_PROJECT)
        for name, after in {
            "migrated": ("", BEFORE),
            "stopped": (domains.domain(AUTOPORT, state=SHUT_OFF),),
            "rebooted": (domains.domain(VNC.replace("5901", "5902")),),
            "without display": (domains.domain(),),
            "another project": (domains.domain(VNC, metadata=project),),
        }.items():
            token = self.issue()
            for states in (after, (BEFORE,)):
                self.define(*states)
                with (
                    self.subTest(name),
                    self.assertRaises(errors.TokenNotFound),
                ):
                    self.tokens.check(token)

    def test_token_of_missing_domain_is_not_found(self) -> None:
        token = self.issue()
        self.define("")
        with self.assertRaises(errors.TokenNotFound):
            self.tokens.check(token)
        # Nova undefines a domain for a moment when it reboots a server.
        self.define(BEFORE)
        self.assertEqual(5901, self.tokens.check(token).port)
