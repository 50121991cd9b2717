# SPDX-License-Identifier: Apache-2.0
from microversion_parse import Version
from oslo_context.context import RequestContext

from console_api import errors
from console_api.api.request import Request
from console_api.policies import consoles
from console_api.tests.unit import base
from console_api.tests.unit.base import OTHER_PROJECT, PROJECT, SERVER


class RequestTest(base.ServiceCase):
    def request(
        self, role: str = "member", project: str = PROJECT, uuid: str = SERVER
    ) -> Request:
        return Request(
            service=self.service,
            context=RequestContext(
                user_id="a-user", project_id=project, roles=[role]
            ),
            version=Version(2, 1),
            path={"server_id": uuid},
            query={},
            body=None,
        )

    def test_the_server_of_the_path_is_found(self) -> None:
        server = self.add_server()
        self.assertEqual(server, self.request().find_server())

    def test_a_server_that_is_not_there_is_not_found(self) -> None:
        for uuid in (base.UNKNOWN_SERVER, "", "\xff", "x" * 9999):
            with (
                self.subTest(uuid[:40]),
                self.assertRaises(errors.ServerNotFound),
            ):
                self.request(uuid=uuid).find_server()

    def test_who_may_is_not_held_up(self) -> None:
        server = self.add_server()
        for role, project in (("member", PROJECT), ("admin", OTHER_PROJECT)):
            with self.subTest(role):
                self.request(role, project).authorize(consoles.SHOW, server)

    def test_a_refusal_on_a_server_of_the_caller_names_the_rule(self) -> None:
        server = self.add_server()
        with self.assertRaisesRegex(errors.Forbidden, consoles.SHOW):
            self.request("reader").authorize(consoles.SHOW, server)

    def test_a_refusal_on_another_server_is_as_if_it_were_not_there(
        self,
    ) -> None:
        server = self.add_server()
        with self.assertRaises(errors.ServerNotFound) as caught:
            self.request(project=OTHER_PROJECT).authorize(
                consoles.SHOW, server
            )
        self.assertEqual(
            str(errors.ServerNotFound(SERVER)), str(caught.exception)
        )
