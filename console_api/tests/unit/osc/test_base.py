# SPDX-License-Identifier: Apache-2.0
from unittest import mock

from openstack import exceptions as sdk_exceptions
from osc_lib import exceptions

from console_api.osc import consoles
from console_api.tests.unit.osc.base import SERVER, CommandCase


class FindServerTest(CommandCase):
    def setUp(self) -> None:
        super().setUp()
        self.add_consoles(1)

    def test_uuid_is_not_looked_up(self) -> None:
        for text in (SERVER, SERVER.upper()):
            self.run_command(consoles.ListConsole, text)
        self.compute.find_server.assert_not_called()

    def test_name_is_looked_up(self) -> None:
        self.compute.find_server.return_value = mock.Mock(id=SERVER)
        for name in ("web1", f"{SERVER}0", SERVER.replace("-", "")):
            self.run_command(consoles.ListConsole, name)
            self.compute.find_server.assert_called_with(
                name, ignore_missing=False
            )

    def test_unknown_name_is_refused_with_a_remedy(self) -> None:
        self.compute.find_server.side_effect = sdk_exceptions.NotFoundException
        with self.assertRaisesRegex(exceptions.CommandError, "give the ID"):
            self.run_command(consoles.ListConsole, "web1")

    def test_names_that_are_paths_are_refused(self) -> None:
        for name in ("detail", "..", "../flavors"):
            self.compute.find_server.return_value = mock.Mock(id=name)
            with (
                self.subTest(name),
                self.assertRaisesRegex(exceptions.CommandError, "give the ID"),
            ):
                self.run_command(consoles.ListConsole, name)
        self.assertEqual([], self.requests)
