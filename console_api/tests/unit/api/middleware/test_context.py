# SPDX-License-Identifier: Apache-2.0
import unittest
from typing import Any

import webob
from oslo_context import context as oslo_context
from oslo_context.context import RequestContext

from console_api.api.faults import Fault
from console_api.api.middleware import context, request_log
from console_api.tests.unit import base


class OfRequestTest(unittest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(base.forget_context)

    def of(self, headers: dict[str, str], **environ: Any) -> RequestContext:
        request = webob.Request.blank("/", headers=headers)
        request.environ.update(environ)
        return context.of_request(request.environ)

    def test_context_has_identity_of_headers(self) -> None:
        found = self.of(
            {
                **base.identity("member, reader"),
                "X-Service-Roles": "service",
            },
            **{request_log.REQUEST_ID: "req-1"},
        )
        self.assertEqual("a-user", found.user_id)
        self.assertEqual(base.PROJECT, found.project_id)
        self.assertEqual(["member", "reader"], found.roles)
        self.assertEqual(["service"], found.service_roles)
        self.assertEqual("req-1", found.request_id)

    def test_identity_with_many_roles_is_not_cached(self) -> None:
        for name in ("X-Roles", "X-Service-Roles"):
            for count, is_cached in ((10, True), (1000, False)):
                roles = ",".join(f"{name}-{n}" for n in range(count))
                headers = {**base.identity(), name: roles}
                first, second = (self.of(headers) for _ in range(2))
                with self.subTest(name, count=count):
                    self.assertEqual(
                        is_cached, first.service_roles is second.service_roles
                    )
                    self.assertEqual(first.roles, second.roles)

    def test_scope_of_service_token_is_not_used(self) -> None:
        for service, expected in (
            ({}, "all"),
            ({"X-Service-User-Id": "a-service"}, None),
        ):
            headers = {**base.identity(), "OpenStack-System-Scope": "all"}
            with self.subTest(service):
                found = self.of({**headers, **service})
                self.assertEqual(expected, found.system_scope)

    def test_all_identity_headers_are_used(self) -> None:
        names = [
            "X-Domain-Id",
            "X-Domain-Name",
            "X-Is-Admin-Project",
            "X-Roles",
            "X-Service-Roles",
            *(
                f"X-{of}{what}"
                for of in (
                    "User",
                    "Project",
                    "Service-User",
                    "Service-Project",
                )
                for what in ("-Id", "-Name", "-Domain-Id", "-Domain-Name")
            ),
        ]
        headers = {name: f"a value of {name}" for name in names}
        request = webob.Request.blank("/", headers=headers)
        expected = RequestContext.from_environ(
            request.environ, request_id="req-1", overwrite=False
        )
        found = self.of(headers, **{request_log.REQUEST_ID: "req-1"})
        self.assertEqual(vars(expected), vars(found))

    def test_contexts_of_callers_are_independent(self) -> None:
        one = self.of(base.identity("member"))
        two = self.of(base.identity("reader"))
        self.assertEqual((["member"], ["reader"]), (one.roles, two.roles))
        again = self.of(
            base.identity("member"), **{request_log.REQUEST_ID: "req-2"}
        )
        self.assertEqual(("req-2", None), (again.request_id, one.request_id))

    def test_roles_may_be_absent(self) -> None:
        self.assertEqual([], self.of({"X-User-Id": "a"}).roles)

    def test_missing_identity_is_refused(self) -> None:
        for headers in (
            {},
            {"X-Project-Id": "a", "X-Roles": "admin"},
            {"X-User-Id": ""},
            {"X-User-Id": "a", "X-Identity-Status": "Invalid"},
        ):
            with self.subTest(headers):
                with self.assertRaises(Fault) as caught:
                    self.of(headers)
                self.assertEqual(401, caught.exception.status)

    def test_context_is_created_once_per_request(self) -> None:
        environ = webob.Request.blank("/", headers=base.identity()).environ
        self.assertIs(context.of_request(environ), context.of_request(environ))


class ContextFilterTest(unittest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(base.forget_context)
        self.seen: list[RequestContext] = []

        def application(environ: Any, start_response: Any) -> list[bytes]:
            self.seen.append(context.of_request(environ))
            start_response("204 No Content", [])
            return []

        self.filter = context.ContextFilter(application)

    def test_identified_request_is_passed_on_and_logged(self) -> None:
        reply = base.call(self.filter, headers=base.identity())
        self.assertEqual(204, reply.status)
        self.assertEqual("a-user", self.seen[0].user_id)
        # For log lines.
        self.assertIs(self.seen[0], oslo_context.get_current())

    def test_request_without_identity_is_refused(self) -> None:
        reply = base.call(self.filter)
        self.assertEqual(401, reply.status)
        self.assertEqual(("unauthorized", 401), reply.fault[:2])
        self.assertEqual([], self.seen)
