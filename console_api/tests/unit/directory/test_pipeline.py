# SPDX-License-Identifier: Apache-2.0
"""The directory `pipeline`, from the filter to the API behind it."""

import json
from typing import Any

import webob

from console_api import directory, errors
from console_api.api.application import Application
from console_api.api.filter import Filter
from console_api.db import tables
from console_api.directory.base import Endpoint
from console_api.tests.unit import base
from console_api.tests.unit.base import PROJECT, SERVER, UNKNOWN_SERVER
from console_api.tests.unit.directory.nova.fake_nova import fault

CONSOLES = f"/servers/{SERVER}/consoles"

ATTRIBUTES = {"id": SERVER, "tenant_id": PROJECT, "name": "mail"}
ADMIN_ATTRIBUTES = {
    "OS-EXT-SRV-ATTR:host": "compute-1",
    "OS-EXT-SRV-ATTR:instance_name": "instance-7",
}


class PipelineCase(base.ServiceCase):
    def setUp(self) -> None:
        super().setUp()
        self.conf.set_override("driver", "pipeline", "directory")
        self.service = self.make_service()
        self.application = Filter(Application(self.service), self.nova)
        self.response: Any = (
            200,
            {"server": {**ATTRIBUTES, **ADMIN_ATTRIBUTES}},
        )
        self.requests: list[webob.Request] = []

    def nova(self, environ: Any, start_response: Any) -> Any:
        request = webob.Request(environ)
        self.requests.append(request)
        if isinstance(self.response, Exception):
            raise self.response
        status, document = self.response
        if not isinstance(document, bytes):
            document = json.dumps(document).encode()
        start_response(f"{status} Status", [("Content-Type", "text/plain")])
        return [document]

    def call(self, method: str = "GET", **headers: str) -> base.Reply:
        return base.call(
            self.application,
            method,
            CONSOLES,
            headers={**base.identity(), **headers},
            environ={"nova.context": "of the caller"},
        )


class RequestTest(PipelineCase):
    def test_nova_receives_one_request_of_the_caller(self) -> None:
        reply = self.call(
            "GET",
            **{
                "OpenStack-API-Version": "compute 2.90",
                "X-Auth-Token": "of-the-caller",
                "If-None-Match": "x",
            },
        )
        self.assertEqual((200, {"consoles": []}), (reply.status, reply.json))
        [request] = self.requests
        self.assertEqual(
            ("GET", f"/servers/{SERVER}", b""),
            (request.method, request.path_info, request.body),
        )
        self.assertEqual("of the caller", request.environ["nova.context"])
        self.assertEqual("of-the-caller", request.headers["X-Auth-Token"])
        self.assertEqual(PROJECT, request.headers["X-Project-Id"])
        self.assertNotIn("OpenStack-API-Version", request.headers)
        self.assertNotIn("If-None-Match", request.headers)

    def test_request_to_nova_has_no_body(self) -> None:
        self.add_console_host()
        reply = base.call(
            self.application,
            "POST",
            CONSOLES,
            body=b"{}",
            headers={**base.identity(), "Content-Type": "application/json"},
        )
        self.assertEqual(200, reply.status, reply.body)
        self.assertEqual([b""], [request.body for request in self.requests])
        [row] = self.rows(tables.consoles)
        self.assertEqual("instance-7", row.instance_name)

    def test_responses_are_not_cached_between_callers(self) -> None:
        self.call()
        self.response = fault(404, "itemNotFound")
        reply = self.call("POST")
        self.assertEqual(404, reply.status)
        self.assertEqual(2, len(self.requests))
        # Other callers may still see the server.
        self.assertEqual(1, len(self.rows(tables.servers)))

    def test_403_of_nova_is_forbidden(self) -> None:
        self.response = fault(403, "forbidden")
        with self.assertNoLogs("console_api.directory", "ERROR"):
            reply = self.call()
        self.assertEqual(403, reply.status, reply.body)
        self.assertIn(
            "os_compute_api:servers:show",
            reply.json["forbidden"]["message"],
        )
        self.assertEqual([], self.rows(tables.servers))

    def test_invalid_response_is_503(self) -> None:
        for response in (
            fault(401, "unauthorized"),
            fault(400, "badRequest"),
            fault(500, "computeFault"),
            (200, b"<html>"),
            (404, b"<html>"),
            (200, {}),
            (200, {"server": None}),
            (
                200,
                {
                    "server": {
                        **ATTRIBUTES,
                        **ADMIN_ATTRIBUTES,
                        "id": UNKNOWN_SERVER,
                    }
                },
            ),
            (200, {"server": ATTRIBUTES}),
            RuntimeError("broken"),
        ):
            self.response = response
            with (
                self.subTest(response),
                self.assertLogs("console_api.directory", "ERROR"),
            ):
                reply = self.call()
                self.assertEqual(503, reply.status)
                self.assertIn("Retry-After", reply.headers)
        self.assertEqual([], self.rows(tables.servers))


class MergeTest(PipelineCase):
    def test_hidden_attributes_are_taken_from_the_row(self) -> None:
        self.add_server(
            name="old", compute_host="compute-9", endpoints={"vnc": {}}
        )
        self.response = (200, {"server": ATTRIBUTES})
        self.assertEqual(200, self.call().status)
        [row] = self.rows(tables.servers)
        self.assertEqual(("mail", "compute-9"), (row.name, row.compute_host))
        [row] = self.rows(tables.server_endpoints)
        self.assertEqual(Endpoint("192.0.2.10", 5901).port, row.port)

    def test_shown_attributes_are_stored(self) -> None:
        self.add_server(compute_host="compute-9")
        self.call()
        self.assertEqual(
            "compute-1", self.rows(tables.servers)[0].compute_host
        )


class OutsideOfPipelineTest(base.DatabaseCase):
    def test_get_is_unavailable(self) -> None:
        self.conf.set_override("driver", "pipeline", "directory")
        loaded = directory.load(self.conf, self.database)
        with (
            self.assertLogs("console_api.directory", "ERROR") as logged,
            self.assertRaises(errors.DirectoryUnavailable),
        ):
            loaded.get(SERVER)
        self.assertIn("works only in Nova's pipeline", logged.output[0])
        with self.assertRaises(errors.ServerNotFound):
            loaded.get("nonsense")
