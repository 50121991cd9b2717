# SPDX-License-Identifier: Apache-2.0
import unittest
from collections.abc import Callable, Iterable
from typing import Any

import webob.exc

from console_api import errors
from console_api.api import faults
from console_api.api.middleware.faults import FaultsFilter
from console_api.tests.unit import base


class FaultsFilterTest(unittest.TestCase):
    def call(
        self, application: Callable[..., Iterable[bytes]], **more: Any
    ) -> base.Reply:
        return base.call(FaultsFilter(application), **more)

    def test_error_pages_become_faults_for_any_accept_header(self) -> None:
        for page, status, key in (
            (webob.exc.HTTPBadRequest(), 400, "badRequest"),
            (webob.exc.HTTPUnauthorized(), 401, "unauthorized"),
            (webob.exc.HTTPForbidden(), 403, "forbidden"),
            (webob.exc.HTTPRequestEntityTooLarge(), 413, "overLimit"),
            (webob.exc.HTTPInternalServerError(), 500, "computeFault"),
            (webob.exc.HTTPServiceUnavailable(), 503, "serviceUnavailable"),
        ):
            for accept in ("text/html", "text/plain", "*/*", ""):
                with self.subTest(status, accept=accept):
                    reply = self.call(page, headers={"Accept": accept})
                    self.assertEqual(status, reply.status)
                    self.assertEqual((key, status), reply.fault[:2])
                    self.assertEqual(
                        ["application/json"],
                        reply.headers.getall("Content-Type"),
                    )
                    self.assertEqual(
                        [str(len(reply.body))],
                        reply.headers.getall("Content-Length"),
                    )

    def test_headers_not_about_the_body_are_kept(self) -> None:
        page = webob.exc.HTTPUnauthorized(
            headers={"WWW-Authenticate": "Keystone uri='http://identity'"}
        )
        reply = self.call(page)
        self.assertEqual(
            "Keystone uri='http://identity'", reply.headers["WWW-Authenticate"]
        )

    def test_own_faults_are_unchanged(self) -> None:
        own = faults.from_error(
            faults.Fault(404, "our own words", [("X-Own", "1")])
        )
        reply = self.call(own.send)
        self.assertEqual(("itemNotFound", 404, "our own words"), reply.fault)
        self.assertEqual("1", reply.headers["X-Own"])

    def test_successful_responses_are_unchanged(self) -> None:
        for status in (200, 202, 300):
            with self.subTest(status):
                page = webob.Response(b"a page", status, content_type="a/b")
                reply = self.call(page)
                self.assertEqual(
                    (status, b"a page", "a/b"),
                    (reply.status, reply.body, reply.headers["Content-Type"]),
                )

    def test_exception_becomes_fault(self) -> None:
        for error, status in (
            (errors.Conflict("why"), 409),
            (ZeroDivisionError("secret"), 500),
        ):

            def application(
                environ: Any, start_response: Any, error: Exception = error
            ) -> Iterable[bytes]:
                raise error

            with self.subTest(status):
                if status == 500:
                    with self.assertLogs(faults.LOG, "ERROR"):
                        reply = self.call(application)
                else:
                    reply = self.call(application)
                self.assertEqual(status, reply.status)
                self.assertNotIn(b"secret", reply.body)

    def test_replaced_body_is_closed(self) -> None:
        closed = []

        class Page(list[bytes]):
            def close(self) -> None:
                closed.append(True)

        def application(environ: Any, start_response: Any) -> Page:
            write = start_response("401 Unauthorized", [])
            write(b"in the old way")
            return Page([b"a page"])

        self.assertEqual(401, self.call(application).status)
        self.assertEqual([True], closed)

    def test_head_gets_fault_without_body(self) -> None:
        reply = self.call(webob.exc.HTTPUnauthorized(), method="HEAD")
        self.assertEqual((401, b""), (reply.status, reply.body))
