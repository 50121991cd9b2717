# SPDX-License-Identifier: Apache-2.0
"""``console-api-policy`` as an administrator and a pipeline run it."""

import importlib.metadata
import itertools
import json
import os
import subprocess
import sys
import unittest
from collections.abc import Iterator
from pathlib import Path

from console_api import conf as configuration_module
from console_api.api import dry_run
from console_api.cmd.policy import identity
from console_api.cmd.policy.app import PolicyApp
from console_api.cmd.policy.subjects import Subject
from console_api.policies import consoles
from console_api.policy import sources
from console_api.policy.access import ACCESS
from console_api.policy.callers import Caller, Callers
from console_api.policy.reach import Reach
from console_api.tests.functional import configuration, policy_files

PROGRAM = Path(sys.executable).with_name("console-api-policy")

# Seconds that a run may take.
TIMEOUT = 120

TOKEN = {
    "token": {
        "user": {"id": "carol", "domain": {"id": "default"}},
        "project": {"id": "p", "domain": {"id": "default"}},
        "roles": [{"name": "reader"}],
    }
}


class ProgramTests(unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = configuration.temporary_folder()
        self.policy = self.folder / "policy.yaml"
        self.policy.write_text(
            f'"{consoles.SHOW}": "rule:project_reader_or_admin"\n'
        )

    def start(self, *arguments, **options):
        """Start the program in the folder, without any configuration."""
        # Those of the libraries are not for administrators.
        environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
        environment.pop(configuration_module.ENVIRONMENT, None)
        return subprocess.Popen(
            [PROGRAM, *arguments],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def run_program(self, *arguments, stdin=""):
        """Run the program; return its status and output."""
        process = self.start(*arguments)
        try:
            stdout, stderr = process.communicate(stdin, timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        self.assertNotIn("Traceback", stderr)
        return process.returncode, stdout, stderr

    def test_commands_need_neither_configuration_nor_database(self):
        expectations = self.folder / "tests.yaml"
        expectations.write_text(
            f"- {{name: x, rule: {consoles.SHOW}, servers: own,"
            " only: [reader, member, manager, admin]}\n"
        )
        policy = ("--policy", "policy.yaml")
        for arguments in (
            ("who-can", *policy, "GET /os-consoles"),
            ("matrix", *policy),
            ("test", *policy, "tests.yaml"),
        ):
            with self.subTest(arguments):
                status, stdout, stderr = self.run_program(*arguments)
                self.assertEqual((0, ""), (status, stderr))
                self.assertIn("| ", stdout)

    def test_token_may_come_through_a_pipe(self):
        arguments = (
            *("explain", "-f", "json", "--token", "-"),
            *("--policy", "policy.yaml"),
            *("--operation", "GET /servers/{id}/consoles/{console_id}"),
        )
        status, stdout, _ = self.run_program(
            *arguments, stdin=json.dumps(TOKEN)
        )
        found = json.loads(stdout)
        self.assertEqual((0, "p"), (status, found["server_project"]))
        self.assertEqual("policy.yaml:1", found["decisions"][0]["defined_in"])

    def test_pipeline_refuses_a_wider_policy(self):
        status, stdout, _ = self.run_program(
            "diff", "--fail-if-wider", "defaults", "policy.yaml"
        )
        self.assertEqual(1, status)
        self.assertIn("role reader", stdout)

    def test_closed_output_is_no_error(self):
        process = self.start("matrix", "--policy", "defaults")
        process.stdout.close()
        with process:
            self.assertEqual("", process.stderr.read())
            process.wait(TIMEOUT)
        self.assertEqual(141, process.returncode)

    def test_completion_knows_all_commands(self):
        status, stdout, _ = self.run_program("complete")
        self.assertEqual(0, status)
        for entry in importlib.metadata.entry_points(
            group=PolicyApp.NAMESPACE
        ):
            self.assertIn(entry.name, stdout)


class AgreementTests(unittest.TestCase):
    """``who-can``, ``matrix``, ``diff`` and ``test`` against ``explain``.

    The former derive from the rules who passes; the latter decides as the
    service does.
    """

    def setUp(self):
        super().setUp()
        self.path = configuration.temporary_folder() / "policy.yaml"

    def callers(self, roles: list[str]) -> Iterator[Caller]:
        """Yield callers with up to two roles, and others."""
        names = ["reader", "member", "manager", "admin", "service", *roles]
        for count in range(3):
            for chosen in itertools.combinations(dict.fromkeys(names), count):
                yield Caller(roles=chosen)
        for role in names:
            yield Caller(roles=(role,), service_roles=("service",))
            yield Caller(roles=(role,), attributes={"user_id": "carol"})
            yield Caller(roles=(role,), attributes={"is_admin_project": False})

    def is_allowed(self, decisions, rule, caller, project) -> bool:
        """Return whether the service would allow an operation."""
        context = identity.make_context(
            {
                "user_id": "u",
                "project_id": "own",
                "roles": list(caller.roles),
                "service_roles": list(caller.service_roles),
                **caller.attributes,
            }
        )
        [operation, *_] = dry_run.of_rule(rule, is_own=project == "own")
        return dry_run.perform(
            decisions, context, operation, project
        ).is_allowed

    def test_all_commands_decide_alike(self):
        for file, text in policy_files.SOUND.items():
            self.path.write_text(text)
            source = sources.load(str(self.path))
            decisions = source.decisions()
            callers = Callers([source.checks])
            reach = Reach(source.checks, callers)
            for rule, project in itertools.product(ACCESS, ("own", "other")):
                diagram = Subject(rule).passing(reach, is_own=project == "own")
                for caller in self.callers(callers.roles):
                    expected = callers.passes(diagram, caller)
                    if expected is None:
                        # Another server decides.
                        continue
                    found = self.is_allowed(decisions, rule, caller, project)
                    with self.subTest(
                        file, rule=rule, project=project, caller=str(caller)
                    ):
                        self.assertEqual(expected, found)
