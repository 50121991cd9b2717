# SPDX-License-Identifier: Apache-2.0
import traceback

from console_api.tests.unit import base
from console_api.tests.unit.api.test_pipeline import (
    CONSOLES,
    KEYSTONE,
    PASTE_FILE,
    TOKEN,
    PipelineCase,
)

PASTE = PASTE_FILE.read_text()


def broken_factory(*_args: object, **options: str) -> None:
    """Execute the code in the option, as a factory with a bug does."""
    exec(options["code"], {})  # noqa: S102 (the code is in this module)


class LoadTest(PipelineCase):
    def test_paste_file_of_the_distribution_is_loaded(self) -> None:
        self.add_server()
        application = self.load()
        reply = base.call(application, path=f"/v2.1{CONSOLES}", headers=TOKEN)
        self.assertEqual({"consoles": []}, reply.json)

    def test_folder_name_may_contain_special_characters(self) -> None:
        odd = self.folder / "a b#c?d"
        odd.mkdir()
        self.paste.rename(odd / "paste.ini")
        self.load({"api": {"paste_config": odd / "paste.ini"}})

    def test_wrong_option_is_reported_with_its_name(self) -> None:
        for pattern, sections in (
            (
                f"nowhere.ini does not exist.*{self.folder}",
                {"api": {"paste_config": "nowhere.ini"}},
            ),
            (
                r"\[keystone_authtoken\] auth_type",
                {"api": {"auth_strategy": "keystone"}},
            ),
            (
                r"\[keystone_authtoken\].* no-such",
                {
                    "api": {"auth_strategy": "keystone"},
                    "keystone_authtoken": {"auth_type": "no-such"},
                },
            ),
            (
                "max_request_body_size",
                {"oslo_middleware": {"max_request_body_size": "many"}},
            ),
            (
                "allow_credentials",
                {
                    "cors": {
                        "allowed_origin": "http://a",
                        "allow_credentials": "perhaps",
                    }
                },
            ),
            ("no_such", {"cors": {"allowed_origin": "$no_such"}}),
            (
                "no_such",
                {
                    "api": {"auth_strategy": "keystone"},
                    "keystone_authtoken": {
                        **KEYSTONE["keystone_authtoken"],
                        "password": "pa$no_such",
                    },
                },
            ),
        ):
            with self.subTest(pattern):
                self.assertRefuses(pattern, sections)

    def test_wrong_paste_file_is_reported_with_its_path(self) -> None:
        cors = "console_api.api.pipeline:cors_factory"
        factory = f"paste.filter_factory = {cors}"
        self.assertIn(factory, PASTE)
        for text in (
            "",
            "no section\n",
            "\xff",
            PASTE + PASTE,
            "[pipeline:console_api]\npipeline = nothing\n",
            PASTE.replace(cors, "absent:cors_factory"),
            PASTE.replace(cors, "console_api.api.absent:cors_factory"),
            PASTE.replace(cors, "console_api.api.pipeline:absent_factory"),
            PASTE.replace(cors, "console_api.api.pipeline:load_conf"),
            PASTE.replace(
                f"paste.filter_factory = {cors}", "use = egg:absent"
            ),
            PASTE.replace(f"paste.filter_factory = {cors}", "use = no-uri"),
            PASTE.replace(cors, "%(absent)s"),
        ):
            with self.subTest(text[:40], length=len(text)):
                self.paste.write_bytes(text.encode("latin-1"))
                self.assertRefuses(str(self.paste))

    def test_wrong_value_in_paste_file_is_reported(self) -> None:
        for old, new, pattern in (
            (
                "microversions = false",
                "microversions = perhaps",
                "microversions = perhaps",
            ),
            ("version = v2.1", "version = v9", "version = v9"),
        ):
            with self.subTest(new):
                self.assertIn(old, PASTE)
                self.paste.write_text(PASTE.replace(old, new))
                self.assertRefuses(pattern)

    def test_auth_strategy_without_pipeline_is_reported(self) -> None:
        for pipe in (
            "noauth2 = faults sizelimit noauth2 context operations\n",
            "noauth2 = faults sizelimit noauth2 context operations_v2\n",
        ):
            for instead in ("", "noauth2 =\n"):
                with self.subTest(pipe, instead=instead):
                    self.assertIn(pipe, PASTE)
                    self.paste.write_text(PASTE.replace(pipe, instead))
                    self.assertRefuses("auth_strategy = noauth2")

    def test_bug_in_factory_keeps_its_traceback(self) -> None:
        for code, error in (
            ("1 + None", TypeError),
            ("None.attribute", AttributeError),
            ("{}[0]", KeyError),
            ("int('x')", ValueError),
            ("open('/nowhere')", OSError),
            ("import no_such_module", ImportError),
            ("__import__('importlib').import_module('absent')", ImportError),
            ("1 / 0", ZeroDivisionError),
        ):
            self.paste.write_text(
                "[app:console_api]\n"
                f"paste.app_factory = {__name__}:broken_factory\n"
                f"code = {code}\n"
            )
            with self.subTest(code), self.assertRaises(error):
                try:
                    self.load()
                except Exception:
                    trace = traceback.format_exc()
                    self.assertIn("in broken_factory", trace)
                    self.assertNotIn(str(self.paste), trace)
                    raise
