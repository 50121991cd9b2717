# SPDX-License-Identifier: Apache-2.0
from console_api_client.tests.base import CloudCase
from console_api_client.tests.cloud import SERVER, fault

PATH = f"POST console /servers/{SERVER}/remote-consoles"
URL = "https://consoles.example.org/vnc_auto.html?path=%3Ftoken%3Dx"


class URLTests(CloudCase):
    def setUp(self) -> None:
        super().setUp()
        answer = {
            "remote_console": {"protocol": "vnc", "type": "novnc", "url": URL}
        }
        for path in (PATH, f"{PATH}/view-only"):
            self.answers[path] = (200, answer)

    def test_url_is_created(self) -> None:
        for options, path, console in (
            ((), PATH, {"protocol": "vnc", "type": "novnc"}),
            (
                ("--type", "serial"),
                PATH,
                {"protocol": "serial", "type": "serial"},
            ),
            (
                ("--view-only",),
                f"{PATH}/view-only",
                {"protocol": "vnc", "type": "novnc"},
            ),
            (
                ("--exclusive", "--type", "spice-html5"),
                PATH,
                {
                    "protocol": "spice",
                    "type": "spice-html5",
                    "exclusive": True,
                },
            ),
        ):
            with self.subTest(options):
                shown = self.json(
                    "server", "console", "url", *options, "web-1"
                )
                self.assertEqual(URL, shown["url"])
                self.assertEqual(
                    {"remote_console": console}, self.cloud.bodies.pop(path)
                )

    def test_url_is_not_logged(self) -> None:
        outcome = self.openstack(
            *("--debug", "server", "console", "url", "web-1"),
            *("-f", "value", "-c", "type"),
        )
        self.assertIn("/remote-consoles", outcome.stderr)
        self.assertNotIn(URL, outcome.stderr)

    def test_view_only_excludes_exclusive(self) -> None:
        self.openstack(
            *("server", "console", "url", "web-1"),
            *("--view-only", "--exclusive"),
            status=2,
        )

    def test_missing_role_for_view_only_names_the_role(self) -> None:
        rule = "os_compute_api:os-remote-consoles:view-only"
        self.answers[f"{PATH}/view-only"] = fault(
            403, f"Policy doesn't allow {rule} to be performed."
        )
        self.assert_refused(
            "by default reader.",
            *("server", "console", "url", "--view-only", "web-1"),
        )
