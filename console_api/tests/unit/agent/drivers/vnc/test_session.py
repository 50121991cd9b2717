# SPDX-License-Identifier: Apache-2.0
import asyncio
import contextlib
import dataclasses

from console_api.agent.drivers.vnc import session
from console_api.agent.drivers.vnc.session import Limits
from console_api.rfb import auth
from console_api.tests.unit.agent.drivers.vnc.base import (
    FAILED,
    OK,
    PASSWORD,
    ConsoleCase,
)


class SlowTypingTest(ConsoleCase):
    limits = Limits(
        handshake_timeout=1,
        password_timeout=60,
        idle_timeout=60,
        max_sessions=10,
    )

    async def test_prompt_is_not_limited_by_handshake_timeout(self) -> None:
        typing = await self.connect()
        challenge = await typing.ask_for_challenge()
        silent = await self.connect()
        await silent.receive_rest()
        typing.send(auth.respond(PASSWORD, challenge))
        self.assertEqual(OK, int.from_bytes(await typing.receive(4)))


class PasswordTimeoutTest(ConsoleCase):
    limits = Limits(
        handshake_timeout=60,
        password_timeout=0,
        idle_timeout=60,
        max_sessions=10,
    )

    async def test_prompt_is_limited_by_password_timeout(self) -> None:
        viewer = await self.connect()
        await viewer.ask_for_challenge()
        self.assertEqual(b"", await viewer.receive_rest())


class ClientInitCase(ConsoleCase):
    async def received_by_display(self, sent: bytes) -> bytes:
        """Return what the display receives when a viewer sends bytes."""
        viewer = await self.connect()
        self.assertEqual(OK, await viewer.authenticate())
        viewer.send(sent)
        loop = asyncio.get_running_loop()
        received = b""
        while len(received) < len(sent):
            received += await loop.sock_recv(self.displays[-1], 100)
        return received


class SharedTest(ClientInitCase):
    async def test_viewers_share_the_display(self) -> None:
        for sent in (b"\0", b"\1", b"\0more"):
            with self.subTest(sent):
                self.assertEqual(
                    b"\1" + sent[1:], await self.received_by_display(sent)
                )


class ExclusiveTest(ClientInitCase):
    limits = dataclasses.replace(ConsoleCase.limits, allow_exclusive=True)

    async def test_exclusive_access_is_passed_on(self) -> None:
        for sent in (b"\0", b"\1more"):
            with self.subTest(sent):
                self.assertEqual(sent, await self.received_by_display(sent))


class GuessingTest(ConsoleCase):
    async def test_owner_logs_in_while_others_guess(self) -> None:
        async def guess(address: str) -> None:
            while True:
                with contextlib.suppress(asyncio.IncompleteReadError):
                    viewer = await self.connect(address)
                    await viewer.authenticate("wrong")

        guesses = [
            asyncio.create_task(guess(f"127.0.0.{number}"))
            for number in range(2, 14)
        ]
        with self.assertLogs(session.LOG, "WARNING") as logs:
            for _ in range(30):
                viewer = await self.connect()
                self.assertEqual(OK, await viewer.authenticate())
                viewer.close()
        self.assertIn("wrong password from 127.0.0.", logs.output[0])
        for task in guesses:
            task.cancel()
        for result in await asyncio.gather(*guesses, return_exceptions=True):
            self.assertIsInstance(result, asyncio.CancelledError)

    async def test_wrong_password_is_refused(self) -> None:
        viewer = await self.connect()
        self.assertEqual(FAILED, await viewer.authenticate("wrong"))
        self.assertEqual("Wrong password.", await viewer.reason())
