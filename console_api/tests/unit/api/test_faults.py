# SPDX-License-Identifier: Apache-2.0
import http
import json
import unittest

from console_api import errors
from console_api.api import faults
from console_api.api.response import Response

KEYS = {
    400: "badRequest",
    401: "unauthorized",
    403: "forbidden",
    404: "itemNotFound",
    405: "badMethod",
    406: "computeFault",
    409: "conflictingRequest",
    410: "computeFault",
    413: "overLimit",
    415: "badMediaType",
    429: "overLimit",
    500: "computeFault",
    501: "notImplemented",
    503: "serviceUnavailable",
}


class FaultsCase(unittest.TestCase):
    def assertFault(self, reply: Response, status: int, message: str) -> None:
        self.assertEqual(status, reply.status)
        key = KEYS.get(status, "computeFault")
        self.assertEqual(
            {key: {"code": status, "message": message}},
            json.loads(reply.body),
        )


class FaultTest(FaultsCase):
    def test_each_status_has_its_key(self) -> None:
        for status in KEYS:
            with self.subTest(status):
                fault = faults.Fault(status, "why", [("A", "b")])
                reply = faults.from_error(fault)
                self.assertFault(reply, status, "why")
                self.assertEqual([("A", "b")], reply.headers)


class FromStatusTest(FaultsCase):
    def test_every_http_error_status_has_message(self) -> None:
        for status in http.HTTPStatus:
            if status >= 400:
                with self.subTest(status):
                    reply = faults.from_status(status.value)
                    self.assertEqual(status.value, reply.status)
                    [fault] = json.loads(reply.body).values()
                    self.assertTrue(fault["message"])

    def test_statuses_of_other_filters_have_messages(self) -> None:
        for status, message in (
            (401, "The request you have made requires authentication."),
            (404, "The resource could not be found."),
            (413, "Request is too large."),
            (
                503,
                "The identity service is unavailable. Retry the request in a "
                "few seconds.",
            ),
            (418, "I'm a Teapot"),
        ):
            with self.subTest(status):
                self.assertFault(faults.from_status(status), status, message)


class FromErrorTest(FaultsCase):
    def test_each_domain_error_has_its_status(self) -> None:
        for error, status in (
            (errors.InvalidInput("why"), 400),
            (errors.TokenTypeNotAccessible(), 401),
            (errors.Forbidden("a:rule"), 403),
            (errors.NotFound("why"), 404),
            (errors.ServerNotFound("a"), 404),
            (errors.ConsoleNotFound("1"), 404),
            (errors.ConsoleHostNotFound("a", "vnc"), 404),
            (errors.TokenNotFound(), 404),
            (errors.Conflict("why"), 409),
            (errors.AlreadyExists("why"), 409),
            (errors.ServerNotReady("a"), 409),
            (errors.Unavailable("why"), 503),
            (errors.NoConsoleHost("why"), 503),
        ):
            with self.subTest(type(error).__name__):
                reply = faults.from_error(error)
                self.assertFault(reply, status, str(error))
                self.assertEqual((), reply.headers)

    def test_unavailable_database_is_logged_with_retry_after(self) -> None:
        error = errors.DatabaseUnavailable("The server has gone away.")
        with self.assertLogs(faults.LOG, "ERROR") as logs:
            reply = faults.from_error(error)
        self.assertFault(reply, 503, str(error))
        self.assertEqual([("Retry-After", "5")], reply.headers)
        self.assertIn("The server has gone away.", logs.output[0])

    def test_unexpected_error_is_logged_but_not_shown(self) -> None:
        for error in (
            KeyError("a secret"),
            errors.ConfigurationError("a secret"),
        ):
            with self.subTest(type(error).__name__):
                with self.assertLogs(faults.LOG, "ERROR") as logs:
                    reply = faults.from_error(error)
                self.assertEqual(500, reply.status)
                text = reply.body.decode()
                self.assertNotIn("secret", text)
                self.assertNotIn(type(error).__name__, text)
                self.assertIn("request ID", text)
                self.assertIn("a secret", logs.output[0])
