# SPDX-License-Identifier: Apache-2.0
import shutil
from pathlib import Path
from typing import Any
from unittest import mock

from oslo_middleware.healthcheck import pluginbase

import console_api
from console_api import errors
from console_api.api import healthcheck, pipeline, service
from console_api.api.application import Application
from console_api.tests.unit import base
from console_api.tests.unit.base import PROJECT, SERVER

PASTE_FILE = (
    Path(console_api.__file__).parents[1] / "etc/console_api/api-paste.ini"
)

CONSOLES = f"/servers/{SERVER}/consoles"
# Nobody listens there, and nobody is asked.
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
        # What the pipeline opens is closed when the test ends.
        for module in (service, healthcheck):
            self.enterContext(
                mock.patch.object(module, "Database", self.open_database)
            )
        self.paste = self.folder / "api-paste.ini"
        shutil.copy(PASTE_FILE, self.paste)

    def load(self, sections: base.Sections | None = None) -> Any:
        base.write_conf(self.folder, sections)
        self.forget_what_is_loaded()
        return pipeline.load_application(self.folder)

    def forget_what_is_loaded(self) -> None:
        # Objects are kept by the folder's name, which tests use again.
        for cached in (pipeline.load_conf, pipeline._service):
            cached.cache_clear()
            self.addCleanup(cached.cache_clear)

    def assertRefuses(
        self, pattern: str, sections: base.Sections | None = None
    ) -> None:
        with self.assertRaisesRegex(errors.ConfigurationError, pattern):
            self.load(sections)


class LoadTest(PipelineCase):
    def test_the_paste_file_of_the_distribution_answers(self) -> None:
        self.add_server()
        application = self.load()
        reply = base.call(application, path=f"/v2.1{CONSOLES}", headers=TOKEN)
        self.assertEqual({"consoles": []}, reply.json)

    def test_a_folder_with_odd_characters_in_its_name_is_fine(self) -> None:
        odd = self.folder / "a b#c?d"
        odd.mkdir()
        self.paste.rename(odd / "paste.ini")
        self.load({"api": {"paste_config": odd / "paste.ini"}})

    def test_an_absent_paste_file_is_named_with_what_to_do(self) -> None:
        self.assertRefuses(
            f"nowhere.ini is not there.*{self.folder}",
            {"api": {"paste_config": "nowhere.ini"}},
        )

    def test_a_paste_file_that_makes_no_sense_is_named(self) -> None:
        text = PASTE_FILE.read_text()
        for faulty in (
            "",
            "no section\n",
            text + text,
            "[pipeline:console_api]\npipeline = nothing\n",
            text.replace("pipeline:cors_factory", "absent:cors_factory"),
            text.replace("pipeline:cors_factory", "pipeline:absent_factory"),
            text.replace("microversions = false", "microversions = perhaps"),
        ):
            with self.subTest(faulty[:40], length=len(faulty)):
                self.paste.write_text(faulty)
                self.assertRefuses(str(self.paste))

    def test_a_strategy_without_pipeline_is_named(self) -> None:
        text = PASTE_FILE.read_text()
        for pipe in (
            "noauth2 = faults sizelimit noauth2 context operations\n",
            "noauth2 = faults sizelimit noauth2 context operations_v2\n",
        ):
            for instead in ("", "noauth2 =\n"):
                with self.subTest(pipe, instead=instead):
                    self.assertIn(pipe, text)
                    self.paste.write_text(text.replace(pipe, instead))
                    self.assertRefuses("auth_strategy = noauth2")

    def test_applications_of_one_folder_share_the_domain(self) -> None:
        self.load()
        values = {"config_dir": str(self.folder)}
        one = pipeline.api_factory(values)
        two = pipeline.api_factory({}, **values, microversions="false")
        assert isinstance(one, Application)
        assert isinstance(two, Application)
        self.assertIs(one._service, two._service)
        self.assertTrue(one._microversions)
        self.assertFalse(two._microversions)


class RootTest(PipelineCase):
    def test_paths_lead_where_the_table_says(self) -> None:
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

    def test_versions_of_a_service_below_a_path_link_there(self) -> None:
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

    def test_the_health_of_the_database_is_told(self) -> None:
        reply = base.call(self.load(), path="/healthcheck")
        self.assertEqual((200, b"OK"), (reply.status, reply.body))
        with mock.patch.object(
            healthcheck.DatabaseHealthcheck,
            "healthcheck",
            return_value=pluginbase.HealthcheckResult(False, "away"),
        ):
            reply = base.call(self.load(), path="/healthcheck")
        self.assertEqual((503, b"away"), (reply.status, reply.body))


class AuthenticationTest(PipelineCase):
    def test_without_identity_all_below_a_version_is_refused(self) -> None:
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

    def test_without_a_way_to_reach_keystone_it_does_not_start(self) -> None:
        self.assertRefuses(
            r"\[keystone_authtoken\] auth_type",
            {"api": {"auth_strategy": "keystone"}},
        )

    def test_version_discovery_needs_no_identity(self) -> None:
        application = self.load(
            {"api": {"auth_strategy": "keystone"}, **KEYSTONE}
        )
        for path in ("/", "/v2.1", "/v2.1/", "/v2", "/healthcheck"):
            with self.subTest(path):
                self.assertEqual(200, base.call(application, path=path).status)

    def test_remote_callers_are_served_only_where_that_is_allowed(
        self,
    ) -> None:
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
