# SPDX-License-Identifier: Apache-2.0
import subprocess
import sys
import unittest
import uuid

from console_api.agent.drivers.xvp import orphans

# Prints a line when it is ready; may ignore SIGTERM.
PROGRAM = (
    "import signal\n"
    "signal.signal(signal.SIGTERM, signal.{})\n"
    "print(flush=True)\n"
    "signal.pause()\n"
)


class TerminateTest(unittest.IsolatedAsyncioTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.arguments = ["-c", f"a file {uuid.uuid4()}"]

    def start(self, handler: str, *more: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [
                *(sys.executable, "-c", PROGRAM.format(handler)),
                *(*self.arguments, *more),
            ],
            stdout=subprocess.PIPE,
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        assert process.stdout is not None
        process.stdout.readline()
        return process

    async def test_only_processes_with_these_arguments_are_terminated(
        self,
    ) -> None:
        other = self.start("SIG_DFL", "more")
        for handler, signal in (("SIG_DFL", -15), ("SIG_IGN", -9)):
            process = self.start(handler)
            with self.subTest(handler):
                self.assertEqual([process.pid], orphans.find(self.arguments))
                self.assertEqual(
                    1, await orphans.terminate(self.arguments, 0.1)
                )
                self.assertEqual(signal, process.wait())
        self.assertEqual(0, await orphans.terminate(self.arguments, 10))
        self.assertIsNone(other.poll())
