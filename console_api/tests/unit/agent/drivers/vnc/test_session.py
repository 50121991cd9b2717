# SPDX-License-Identifier: Apache-2.0
from console_api.agent.drivers.vnc.session import Limits
from console_api.rfb import auth
from console_api.tests.unit.agent.drivers.vnc.base import (
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
