# SPDX-License-Identifier: Apache-2.0
import tempfile
import unittest
from pathlib import Path

from console_api.gateway.pages import PAGES, File, Pages


class PagesTest(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.write("index.html", '<script src="assets/main.js"></script>')
        self.write("main.js", "import './lib/rfb.js';")
        self.write("lib/rfb.js", "")

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def pages(self, *ancestors: str) -> Pages:
        return Pages(ancestors, self.folder)

    def find(self, pages: Pages, path: str) -> File:
        found = pages.find(path)
        assert found is not None
        return found

    def script(self, pages: Pages) -> str:
        """Return the path of the script in the page."""
        body = self.find(pages, "/").body.decode()
        return "/" + body.split('"')[1]

    def test_each_name_of_the_page(self) -> None:
        pages = self.pages()
        for path in PAGES:
            self.assertIn(b"<script", self.find(pages, path).body)
        for path in ("/index.html", "/assets/main.js", "//", "/../main.js"):
            self.assertIsNone(pages.find(path))

    def test_files_of_a_version_do_not_change(self) -> None:
        path = self.script(self.pages())
        found = self.find(self.pages(), path)
        self.assertEqual(b"import './lib/rfb.js';", found.body)
        self.assertEqual("text/javascript", found.headers["Content-Type"])
        self.assertIn("immutable", found.headers["Cache-Control"])
        module = path.replace("main.js", "lib/rfb.js")
        self.assertEqual(b"", self.find(self.pages(), module).body)
        self.write("lib/rfb.js", "new")
        self.assertNotEqual(path, self.script(self.pages()))
        self.assertIsNone(self.pages().find(path))

    def test_page_has_strict_policy(self) -> None:
        headers = self.find(self.pages("https://horizon.example"), "/").headers
        policy = headers["Content-Security-Policy"]
        self.assertIn("default-src 'none'; script-src 'self';", policy)
        self.assertNotIn("unsafe", policy)
        self.assertTrue(
            policy.endswith("frame-ancestors 'self' https://horizon.example")
        )
        self.assertNotIn("X-Frame-Options", headers)
        self.assertEqual("no-referrer", headers["Referrer-Policy"])
        self.assertEqual("no-cache", headers["Cache-Control"])

    def test_missing_page(self) -> None:
        pages = Pages([], self.folder / "missing")
        self.assertIn(b"not installed", self.find(pages, "/").body)
