# SPDX-License-Identifier: Apache-2.0
import shutil
from pathlib import Path
from typing import Any
from unittest import mock

from oslo_middleware.healthcheck import pluginbase

import console_api
from console_api import errors
from console_api.api import healthcheck, loader, pipeline
from console_api.api.service import Service
from console_api.tests import waiting
from console_api.tests.unit import base
from console_api.tests.unit.base import PROJECT, SERVER

PASTE_FILE = (
    Path(console_api.__file__).parents[1] / "etc/console_api/api-paste.ini"
)

CONSOLES = f"/servers/{SERVER}/consoles"
# Nothing listens there, and no request is sent.
KEYSTONE = {
    "keystone_authtoken": {
        "www_authenticate_uri": "http://127.0.0.1:1/",
        "auth_type": "password",
        "auth_url": "http://127.0.0.1:1/",
    }
}
TOKEN = {"X-Auth-Token": f"a-user:{PROJECT}"}


class PipelineCase(base.ServiceCase):
    def setUp(self) -> None:
        super().setUp()
        # Databases that the pipeline opens are closed when the test ends.
        self.enterContext(
            mock.patch.object(pipeline, "Database", self.open_database)
        )
        self.paste = self.folder / "api-paste.ini"
        shutil.copy(PASTE_FILE, self.paste)

    def load(self, sections: base.Sections | None = None) -> Any:
        base.write_conf(self.folder, sections)
        self.clear_caches()
        return loader.load_application(self.folder)

    def clear_caches(self) -> None:
        # Cached by folder.
        for cached in (
            pipeline.load_conf,
            pipeline.load_enforcer,
            pipeline.load_database,
            pipeline._service,
        ):
            cached.cache_clear()
            self.addCleanup(cached.cache_clear)

    def assertRefuses(
        self, pattern: str, sections: base.Sections | None = None
    ) -> None:
        with self.assertRaisesRegex(errors.ConfigurationError, pattern):
            self.load(sections)


class ApiFactoryTest(PipelineCase):
    def test_applications_of_one_folder_share_the_service(self) -> None:
        self.load()
        values = {"config_dir": str(self.folder)}
        with mock.patch.object(Service, "from_conf") as create:
            pipeline.api_factory(values)
            pipeline.api_factory({}, **values, microversions="false")
        create.assert_not_called()


class RootTest(PipelineCase):
    def test_paths_lead_to_their_applications(self) -> None:
        self.add_server()
        application = self.load()
        for path, status, key in (
            ("", 200, "versions"),
            ("/", 200, "versions"),
            ("/v2.1", 200, "version"),
            ("/v2.1/", 200, "version"),
            ("/v2", 200, "version"),
            ("/v2/", 200, "version"),
            (f"/v2.1{CONSOLES}", 200, "consoles"),
            (f"/v2.1/{PROJECT}{CONSOLES}", 200, "consoles"),
            (f"/v2{CONSOLES}", 200, "consoles"),
            (f"/v2/{PROJECT}{CONSOLES}", 200, "consoles"),
            ("/v2.1/unknown", 404, "itemNotFound"),
            ("/v2.10", 404, "itemNotFound"),
            (f"/v3{CONSOLES}", 404, "itemNotFound"),
            (f"//v2.1{CONSOLES}", 404, "itemNotFound"),
            (f"/v2.1/{CONSOLES}", 404, "itemNotFound"),
            (CONSOLES, 404, "itemNotFound"),
            ("/healthcheck/below", 404, "itemNotFound"),
            ("/V2.1", 404, "itemNotFound"),
        ):
            with self.subTest(path):
                reply = base.call(application, path=path, headers=TOKEN)
                self.assertEqual(status, reply.status)
                self.assertEqual([key], list(reply.json))
                self.assertTrue(reply.headers["x-openstack-request-id"])

    def test_version_links_keep_path_of_service(self) -> None:
        reply = base.call(
            self.load(),
            path="/v2.1",
            environ={"SCRIPT_NAME": "/compute", "HTTP_HOST": "host:8774"},
        )
        self.assertEqual(
            "http://host:8774/compute/v2.1/",
            reply.json["version"]["links"][0]["href"],
        )

    def test_only_v2_1_has_microversions(self) -> None:
        self.add_server()
        application = self.load()
        for prefix, named in (("/v2.1", "2.31"), ("/v2", None)):
            for path in ("", CONSOLES):
                with self.subTest(prefix + path):
                    reply = base.call(
                        application,
                        path=prefix + path,
                        headers={
                            **TOKEN,
                            "OpenStack-API-Version": "compute 2.31",
                        },
                    )
                    self.assertEqual(200, reply.status)
                    self.assertEqual(
                        named,
                        reply.headers.get("X-OpenStack-Nova-API-Version"),
                    )

    def test_healthcheck_reports_database(self) -> None:
        reply = base.call(self.load(), path="/healthcheck")
        self.assertEqual((200, b"OK"), (reply.status, reply.body))
        with mock.patch.object(
            healthcheck.DatabaseHealthcheck,
            "healthcheck",
            return_value=pluginbase.HealthcheckResult(False, "down"),
        ):
            reply = base.call(self.load(), path="/healthcheck")
        self.assertEqual((503, b"down"), (reply.status, reply.body))

    def test_healthcheck_shows_refused_policy_and_is_healthy(self) -> None:
        policy = self.folder / "policy.yaml"
        policy.write_text("# Nothing\n")
        application = self.load({"healthcheck": {"detailed": "true"}})
        policy.write_text('"broken": [\n')

        def shown() -> dict[str, str]:
            reply = base.call(
                application,
                path="/healthcheck",
                headers={"Accept": "application/json"},
            )
            self.assertEqual(200, reply.status)
            found: dict[str, str] = reply.json["reasons"][1]
            return found

        waiting.wait_until(lambda: shown()["reason"])
        found = shown()
        self.assertIn("in force since 20", found["reason"])
        self.assertNotIn(str(policy), found["reason"])
        self.assertIn(f"{policy}:1: broken: ", found["details"])
        policy.write_text("# Corrected\n")
        waiting.wait_until(lambda: not shown()["reason"])


class AuthenticationTest(PipelineCase):
    def test_all_paths_below_a_version_require_identity(self) -> None:
        for strategy in ("noauth2", "keystone"):
            application = self.load(
                {"api": {"auth_strategy": strategy}, **KEYSTONE}
            )
            for path in (CONSOLES, "/unknown"):
                for accept in ("text/html", "text/plain", "application/json"):
                    with self.subTest(path, strategy=strategy, accept=accept):
                        reply = base.call(
                            application,
                            path=f"/v2.1{path}",
                            headers={
                                **base.identity("admin"),
                                "Accept": accept,
                            },
                        )
                        self.assertEqual(401, reply.status)
                        self.assertEqual(
                            ("unauthorized", 401), reply.fault[:2]
                        )

    def test_version_discovery_requires_no_identity(self) -> None:
        application = self.load(
            {"api": {"auth_strategy": "keystone"}, **KEYSTONE}
        )
        for path in ("/", "/v2.1", "/v2.1/", "/v2", "/healthcheck"):
            with self.subTest(path):
                self.assertEqual(200, base.call(application, path=path).status)

    def test_noauth2_serves_remote_callers_only_if_allowed(self) -> None:
        for allowed, status in ((False, 403), (True, 404)):
            application = self.load({"noauth2": {"allow_remote": allowed}})
            with self.subTest(allowed):
                reply = base.call(
                    application,
                    path="/v2.1/unknown",
                    headers=TOKEN,
                    environ={"REMOTE_ADDR": "192.0.2.1"},
                )
                self.assertEqual(status, reply.status)
