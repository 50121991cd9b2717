# SPDX-License-Identifier: Apache-2.0
"""The DevStack plugin sets up a running API and removes it completely.

DevStack itself would take over the machine, so a stand-in calls the phases of
the plugin, with functions as strict as DevStack's.
"""

import contextlib
import getpass
import os
import signal
import subprocess
import sys
from pathlib import Path

import requests
from paste.deploy import loadfilter

from console_api.tests import ports, prerequisites
from console_api.tests.functional import (
    agents,
    base,
    configuration,
    keystone,
)

STAND_IN = Path(__file__).with_name("devstack_stand_in.sh")
PLUGIN = configuration.CHECKOUT / "devstack"
TIMEOUT = 120

SERVICE = {"project": {"name": "service", "domain": keystone.DEFAULT_DOMAIN}}

# The sections of Nova's api-paste.ini that the plugin changes.
NOVA = """\
[composite:openstack_compute_api_v21]
use = call:nova.api.auth:pipeline_factory_v21
keystone = faultwrap authtoken keystonecontext osapi_compute_app_v21

[composite:openstack_compute_api_v21_legacy_v2_compatible]
use = call:nova.api.auth:pipeline_factory_v21
keystone = authtoken keystonecontext legacy_v2_compatible osapi_compute_app_v21
"""


class DevStackTest(base.DatabaseTestCase):
    def setUp(self):
        # The plugin fetches the modules of the gateway's page.
        prerequisites.find_program("npm")
        self.folder = configuration.temporary_folder()
        self.conf = self.folder / "etc"
        self.paste = self.folder / "nova-paste.ini"
        self.paste.write_text(NOVA)
        self.catalog = self.folder / "catalog"
        (self.folder / "console_api").symlink_to(configuration.CHECKOUT)
        self.addCleanup(self.kill)

    def run_phases(self, *phases: str, **variables: str) -> str:
        """Run phases; return their output."""
        done = subprocess.run(
            [STAND_IN, *phases],
            check=False,
            env={
                "PATH": os.environ["PATH"],
                "BIN": str(Path(sys.executable).parent),
                "FOLDER": str(self.folder),
                "DEST": str(self.folder),
                "STACK_USER": getpass.getuser(),
                "DATABASE_TYPE": "mysql",
                "ENABLE_DEBUG_LOG_LEVEL": "True",
                "SERVICE_HOST": "127.0.0.1",
                "SERVICE_LISTEN_ADDRESS": "127.0.0.1",
                "SERVICE_TIMEOUT": str(TIMEOUT),
                "SERVICE_PASSWORD": "unknown",
                "SERVICE_DOMAIN_NAME": "Default",
                "SERVICE_PROJECT_NAME": "service",
                "REGION_NAME": "RegionOne",
                "KEYSTONE_SERVICE_URI": "http://127.0.0.1:1/identity",
                "NOVA_API_PASTE_INI": str(self.paste),
                "CONSOLE_API_CONF_DIR": str(self.conf),
                "CONSOLE_API_CONSOLE_PORTS": agents.free_range(10),
                **variables,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=2 * TIMEOUT,
        )
        self.assertEqual(0, done.returncode, done.stdout)
        return done.stdout

    def kill(self) -> None:
        for path in self.folder.glob("*.pid"):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(int(path.read_text()), signal.SIGKILL)

    def test_plugin_sets_up_and_removes_service(self):
        identity = keystone.shared()
        password = identity.make_service_user("console_api")
        port = ports.free_port()
        variables = {
            "SERVICE_PASSWORD": password,
            "KEYSTONE_SERVICE_URI": identity.url.removesuffix("/v3"),
            "CONSOLE_API_PORT": str(port),
        }
        self.run_phases(
            "stack pre-install",
            "stack install",
            "stack post-config",
            "stack extra",
            "stack test-config",
            **variables,
        )
        token = identity.token("console_api", password, SERVICE)
        # DevStack does not wait for the agent.
        self.eventually(lambda: self.host_types(port, token) == ["vnc"])
        self.assertEqual(NOVA, self.paste.read_text())
        url = f"http://127.0.0.1:{port}/v2.1"
        self.assertEqual(
            [
                "service console_api console",
                f"endpoint console RegionOne {url}",
            ],
            self.catalog.read_text().splitlines(),
        )
        self.assertEqual(200, requests.get(url, timeout=TIMEOUT).status_code)
        self.run_phases("unstack", "clean", **variables)
        self.assertEqual([], list(self.folder.glob("*.pid")))
        self.assertFalse(self.conf.exists())
        with self.assertRaises(requests.ConnectionError):
            requests.get(f"http://127.0.0.1:{port}/", timeout=TIMEOUT)

    def host_types(self, port: int, token: str) -> list[str]:
        reply = requests.get(
            f"http://127.0.0.1:{port}/v2.1/os-console-hosts",
            headers={"X-Auth-Token": token},
            timeout=TIMEOUT,
        )
        self.assertEqual(200, reply.status_code, reply.text)
        return [host["console_type"] for host in reply.json()["console_hosts"]]

    def test_plugin_adds_and_removes_filter_of_nova(self):
        variables = {"CONSOLE_API_MODE": "filter"}
        # Running it again changes nothing.
        self.run_phases("stack post-config", "stack post-config", **variables)
        self.assertEqual(
            [
                "faultwrap authtoken keystonecontext console_api "
                "osapi_compute_app_v21",
                "authtoken keystonecontext console_api_v2 "
                "legacy_v2_compatible osapi_compute_app_v21",
            ],
            self.pipelines(),
        )
        # Clients find it at the endpoint of Nova.
        self.assertFalse(self.catalog.exists())
        for name in ("console_api", "console_api_v2"):
            loaded = loadfilter(f"config:{self.paste}", name)(None)
            self.assertIsNotNone(loaded)
        self.run_phases("clean", **variables)
        self.assertEqual(
            [
                line.partition(" = ")[2]
                for line in NOVA.splitlines()
                if line.startswith("keystone")
            ],
            self.pipelines(),
        )

    def pipelines(self) -> list[str]:
        return [
            line.partition(" = ")[2]
            for line in self.paste.read_text().splitlines()
            if line.startswith("keystone")
        ]

    def test_shellcheck_accepts_plugin(self):
        program = prerequisites.find_program("shellcheck")
        for path in (PLUGIN / "plugin.sh", PLUGIN / "settings", STAND_IN):
            with self.subTest(path.name):
                done = subprocess.run(
                    [program, "--shell=bash", path],
                    check=False,
                    capture_output=True,
                    text=True,
                    timeout=TIMEOUT,
                )
                self.assertEqual(0, done.returncode, done.stdout)
