# SPDX-License-Identifier: Apache-2.0
import inspect
import re
import unittest

from console_api.cmd.quickstart import app
from console_api.conf import api
from console_api.tests.functional import examples


class ThreadsTest(unittest.TestCase):
    def test_examples_have_threads_for_quick_requests(self) -> None:
        [limit] = [
            option.default
            for option in api.OPTS
            if option.name == "max_slow_requests"
        ]
        sources = {
            name: (examples.FOLDER / name).read_text()
            for name in ("gunicorn.conf.py", "uwsgi.ini", "apache.conf")
        }
        sources["quickstart"] = inspect.getsource(app)
        for name, source in sources.items():
            with self.subTest(name):
                found = re.findall(r"\bthreads\W+(\d+)", source)
                self.assertEqual(1, len(found))
                self.assertGreater(int(found[0]), limit * 3 / 2)
