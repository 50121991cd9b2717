# SPDX-License-Identifier: Apache-2.0
import asyncio
import subprocess
import sys
import unittest
from pathlib import Path

from console_api.agent.drivers.xvp.processes import (
    AdoptedProcess,
    Process,
    Processes,
)
from console_api.tests.unit import base

# Opens a file, renames itself, prints a line when it is ready, and may ignore
# SIGTERM.
PROGRAM = """
import signal, sys
from console_api.tests.functional.xvp_stand_in.title import set_title
handler, title, name = sys.argv[1:]
file = open(name, "a")
signal.signal(signal.SIGTERM, getattr(signal, handler))
if title:
    set_title(title)
print(flush=True)
signal.pause()
"""


class ProcessesCase(base.FolderCase, unittest.IsolatedAsyncioTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.log = self.folder / "xvp.log"
        self.processes = Processes(self.log, ["", str(self.log)])

    def start(
        self,
        title: str = "xvp: master",
        log: Path | None = None,
        handler: str = "SIG_DFL",
    ) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [
                *(sys.executable, "-c", PROGRAM, handler, title),
                str(log or self.log),
            ],
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        assert process.stdout is not None
        process.stdout.readline()
        return process


class FindTest(ProcessesCase):
    def test_processes_are_found_by_title_and_open_log(self) -> None:
        master = self.start()
        session = self.start("xvp: proxy: 192.0.2.1 to vm")
        self.start(log=self.folder / "another.log")
        # A command such as tail(1) that has the log open.
        self.start("tail -f")
        self.assertCountEqual(
            [
                Process(master.pid, "xvp: master"),
                Process(session.pid, "xvp: proxy: 192.0.2.1 to vm"),
            ],
            self.processes.find(),
        )

    def test_process_with_rotated_log_is_found(self) -> None:
        process = self.start()
        rotated = self.log.rename(self.folder / "xvp.log.1")
        self.assertEqual(process.pid, self.processes.find()[0].pid)
        rotated.unlink()
        self.assertEqual(process.pid, self.processes.find()[0].pid)

    def test_process_that_has_not_renamed_itself_is_found(self) -> None:
        process = self.start("")
        self.assertEqual([process.pid], [p.pid for p in self.processes.find()])

    def test_only_single_master_is_found(self) -> None:
        self.assertIsNone(self.processes.find_master())
        process = self.start()
        self.assertEqual(process.pid, self.processes.find_master())
        self.start()
        self.assertIsNone(self.processes.find_master())


class TerminateTest(ProcessesCase):
    async def test_process_is_killed_if_it_ignores_sigterm(self) -> None:
        for handler, status in (("SIG_DFL", -15), ("SIG_IGN", -9)):
            process = self.start(handler=handler)
            with self.subTest(handler):
                self.assertEqual(1, await self.processes.terminate(0.1))
                self.assertEqual(status, process.wait())
        self.assertEqual(0, await self.processes.terminate(10))

    async def test_only_chosen_processes_are_terminated(self) -> None:
        master = self.start()
        session = self.start("xvp: proxy: 192.0.2.1 to vm")
        count = await self.processes.terminate(
            10, lambda process: process.title.endswith(" to vm")
        )
        self.assertEqual(1, count)
        session.wait()
        self.assertIsNone(master.poll())


class AdoptedProcessTest(ProcessesCase):
    async def test_exit_is_noticed(self) -> None:
        process = self.start()
        adopted = AdoptedProcess(process.pid)
        waiting = asyncio.create_task(adopted.wait())
        await asyncio.sleep(0)
        self.assertIsNone(adopted.returncode)
        process.kill()
        await asyncio.wait_for(waiting, 20)
        self.assertIsNotNone(adopted.returncode)

    def test_process_that_has_exited_is_refused(self) -> None:
        process = self.start()
        process.kill()
        process.wait()
        with self.assertRaises(OSError):
            AdoptedProcess(process.pid)
