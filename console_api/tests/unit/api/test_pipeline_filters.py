# SPDX-License-Identifier: Apache-2.0
"""Filters of oslo.middleware in our pipeline, ours in another."""

import io
import warnings
from typing import Any
from unittest import mock

from console_api.api import pipeline, routes
from console_api.tests.unit import base
from console_api.tests.unit.api.test_pipeline import (
    CONSOLES,
    TOKEN,
    PipelineCase,
)


class FiltersTest(PipelineCase):
    def test_body_over_limit_is_refused_before_it_is_read(self) -> None:
        application = self.load()
        for size, status, key in (
            (114_688, 400, "badRequest"),
            (114_689, 413, "overLimit"),
        ):
            with self.subTest(size):
                reply = base.call(
                    application,
                    "POST",
                    f"/v2.1{CONSOLES}",
                    body=b"x" * size,
                    headers={**TOKEN, "Content-Type": "application/json"},
                )
                self.assertEqual(status, reply.status)
                self.assertEqual((key, status), reply.fault[:2])

    def test_chunked_body_has_same_limit(self) -> None:
        # WebOb does not close the temporary file of a body over the limit.
        self.enterContext(warnings.catch_warnings())
        warnings.simplefilter("ignore", ResourceWarning)
        application = self.load()
        for size, status in ((114_688, 400), (114_689, 413)):
            with self.subTest(size):
                reply = base.call(
                    application,
                    "POST",
                    f"/v2.1{CONSOLES}",
                    headers={**TOKEN, "Content-Type": "application/json"},
                    environ={
                        "HTTP_TRANSFER_ENCODING": "chunked",
                        "wsgi.input_terminated": True,
                        "wsgi.input": io.BytesIO(b"x" * size),
                    },
                )
                self.assertEqual(status, reply.status)

    def test_preflight_lists_methods_for_allowed_origin(self) -> None:
        origin = "https://panel.example.org"
        application = self.load({"cors": {"allowed_origin": origin}})
        for method in ("GET", "HEAD", "POST", "DELETE", "PUT", "PATCH"):
            with self.subTest(method):
                reply = base.call(
                    application,
                    "OPTIONS",
                    f"/v2.1{CONSOLES}",
                    headers={
                        "Origin": origin,
                        "Access-Control-Request-Method": method,
                        "Access-Control-Request-Headers": "X-Auth-Token, "
                        "X-OpenStack-Request-Id, OpenStack-API-Version, "
                        "X-OpenStack-Nova-API-Version",
                    },
                )
                self.assertEqual(
                    None if method == "PATCH" else method,
                    reply.headers.get("Access-Control-Allow-Methods"),
                )

    def test_responses_name_allowed_origin_and_exposed_headers(self) -> None:
        headers = {**TOKEN, "Origin": "https://panel.example.org"}
        for sections, expected in (
            ({}, None),
            (
                {"cors": {"allowed_origin": "https://panel.example.org"}},
                "https://panel.example.org",
            ),
            ({"cors": {"allowed_origin": "https://other.example.org"}}, None),
        ):
            application = self.load(sections)
            for path in ("/v2.1/unknown", "/", "/unknown"):
                with self.subTest(path, sections=sections):
                    reply = base.call(application, path=path, headers=headers)
                    self.assertEqual(
                        expected,
                        reply.headers.get("Access-Control-Allow-Origin"),
                    )
                    if expected:
                        exposed = reply.headers[
                            "Access-Control-Expose-Headers"
                        ]
                        self.assertEqual(
                            {
                                "OpenStack-API-Version",
                                "X-OpenStack-Nova-API-Version",
                                "X-Openstack-Request-Id",
                                "X-Compute-Request-Id",
                            },
                            set(exposed.split(",")),
                        )

    def test_proxy_headers_are_trusted_only_if_enabled(self) -> None:
        for switch, scheme in ((False, "http"), (True, "https")):
            application = self.load(
                {"oslo_middleware": {"enable_proxy_headers_parsing": switch}}
            )
            with self.subTest(switch):
                reply = base.call(
                    application, headers={"X-Forwarded-Proto": "https"}
                )
                [link] = reply.json["versions"][0]["links"]
                self.assertEqual(scheme, link["href"].partition(":")[0])


class FilterFactoryTest(PipelineCase):
    def test_filter_serves_own_operations_and_passes_on_others(self) -> None:
        self.add_server()
        self.load()

        def other(environ: Any, start_response: Any) -> list[bytes]:
            start_response("299 Passed on", [])
            return [b"passed on"]

        for switch, named in (("true", "2.31"), ("false", None)):
            make = pipeline.filter_factory(
                {}, config_dir=str(self.folder), microversions=switch
            )
            application = make(other)
            headers = {
                **base.identity(),
                "OpenStack-API-Version": "compute 2.31",
            }
            with self.subTest(switch):
                reply = base.call(application, path=CONSOLES, headers=headers)
                self.assertEqual({"consoles": []}, reply.json)
                self.assertEqual(
                    named, reply.headers.get("X-OpenStack-Nova-API-Version")
                )
                for path in ("/flavors", "/os-console-hosts"):
                    reply = base.call(application, path=path)
                    self.assertEqual(299, reply.status)

    def test_filter_serves_configured_resources(self) -> None:
        names = ",".join(sorted(routes.RESOURCES))
        self.load({"filter": {"resources": names}})
        make = pipeline.filter_factory({}, config_dir=str(self.folder))
        reply = base.call(
            make(mock.NonCallableMock()),
            path="/os-console-hosts",
            headers=base.identity("admin"),
        )
        self.assertEqual({"console_hosts": []}, reply.json)
