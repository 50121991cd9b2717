# SPDX-License-Identifier: Apache-2.0
import os
import runpy
import shutil
import sys
from collections.abc import Callable
from typing import Any
from unittest import mock

from oslo_log import log

from console_api import conf as configuration
from console_api import errors
from console_api.api.service import Service
from console_api.tests.unit import base
from console_api.tests.unit.api.test_pipeline import PipelineCase


class WsgiTest(PipelineCase):
    def setUp(self) -> None:
        super().setUp()
        self.setup_log = self.enterContext(mock.patch.object(log, "setup"))
        self.enterContext(
            mock.patch.dict(
                os.environ, {configuration.ENVIRONMENT: str(self.folder)}
            )
        )

    def load_module(self) -> Any:
        self.clear_caches()
        return runpy.run_module("console_api.wsgi")["application"]

    def test_environment_variable_names_configuration(self) -> None:
        # The command line belongs to the WSGI server.
        arguments = ["server", "--config-file", "/nowhere", "--bogus"]
        with mock.patch.object(sys, "argv", arguments):
            application = self.load_module()
        self.assertEqual(200, base.call(application, path="/v2.1").status)
        self.setup_log.assert_called_once()

    def test_configuration_is_read_once(self) -> None:
        with mock.patch.object(
            configuration, "load", side_effect=configuration.load
        ) as load:
            self.load_module()
        load.assert_called_once_with(self.folder)

    def test_configuration_error_is_reported_without_causes(self) -> None:
        spoil: Callable[[], object]
        for spoil in (
            (self.folder / "console_api.sqlite").unlink,
            lambda: shutil.rmtree(self.folder / "keys"),
            self.paste.unlink,
            (self.folder / "console_api.conf").unlink,
        ):
            spoil()
            with self.assertRaises(errors.ConfigurationError) as caught:
                self.load_module()
            message = str(caught.exception)
            with self.subTest(message):
                self.assertTrue(
                    message.startswith("console_api does not start. ")
                )
                self.assertIsNone(caught.exception.__cause__)
                self.assertTrue(caught.exception.__suppress_context__)

    def test_bug_keeps_its_traceback(self) -> None:
        with (
            mock.patch.object(
                Service, "from_conf", side_effect=ZeroDivisionError
            ),
            self.assertRaises(ZeroDivisionError),
        ):
            self.load_module()
