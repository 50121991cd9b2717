# SPDX-License-Identifier: Apache-2.0
"""SPICE sessions of a real QEMU, a WebSocket for each channel."""

import base64
import struct

from console_api.gateway.close_reasons import CloseReason
from console_api.tests.functional import spice_client, vnc_servers
from console_api.tests.functional.gateways import GatewayTestCase
from console_api.tests.functional.spice_client import SpiceChannel

_DISPLAY_INIT = struct.pack("<BqBI", 1, 1 << 20, 1, 1 << 20)


class SpiceTestCase(GatewayTestCase):
    backend = "sqlite"

    def setUp(self):
        super().setUp()
        self.display = vnc_servers.qemu_spice("-trace", "enable=input_event_*")
        self.addCleanup(self.display.stop)
        self.token = self.token_for(self.display.port, "spice", "spice-html5")

    def connect(self):
        """Open a WebSocket, as spice-html5 does."""
        stream = self.gateway.connect(
            "/websockify",
            cookie=f"token={self.token}",
            subprotocols=["binary"],
        )
        self.addCleanup(stream.close)
        return stream

    def open_main(self):
        """Open the main channel; return it and its connection ID."""
        main = SpiceChannel(self.connect())
        main.link(0, spice_client.MAIN)
        init = main.wait_for(spice_client.MSG_INIT)
        return main, int.from_bytes(init[:4], "little")

    def open_channel(self, connection_id, channel_type):
        """Open another channel."""
        channel = SpiceChannel(self.connect())
        channel.link(connection_id, channel_type)
        return channel

    def show_picture(self, connection_id):
        """Open the display channel, and wait for a picture."""
        channel = self.open_channel(connection_id, spice_client.DISPLAY)
        channel.send(spice_client.MSGC_DISPLAY_INIT, _DISPLAY_INIT)
        channel.wait_for(spice_client.MSG_SURFACE_CREATE)
        return channel

    def assert_refused(self, connection_id, channel_type, *reasons):
        """Assert that the gateway refuses a channel."""
        stream = self.connect()
        channel = SpiceChannel(stream)
        channel.send_link(connection_id, channel_type)
        closed = stream.wait_until_closed()
        self.assertIn(closed.code, [reason.code for reason in reasons])


class SpiceTests(SpiceTestCase):
    def test_channels_join_main_and_end_with_it(self):
        main, connection_id = self.open_main()
        picture = self.show_picture(connection_id)
        inputs = self.open_channel(connection_id, spice_client.INPUTS)
        inputs.send(spice_client.MSGC_KEY_DOWN, struct.pack("<I", 0x1E))
        inputs.send(spice_client.MSGC_KEY_UP, struct.pack("<I", 0x9E))
        self.eventually(lambda: "qcode a, down 1" in self.display.log)
        main.stream.close()
        for channel in (picture, inputs):
            closed = channel.stream.wait_until_closed()
            self.assertIsNotNone(closed.code)
        self.assert_refused(
            connection_id,
            spice_client.DISPLAY,
            CloseReason.VIOLATION,
            CloseReason.DISPLAY_CLOSED,
        )

    def test_channel_needs_connection_id_of_main(self):
        _, connection_id = self.open_main()
        for other in (connection_id ^ 1, 0):
            self.assert_refused(
                other, spice_client.DISPLAY, CloseReason.VIOLATION
            )
        self.show_picture(connection_id)

    def test_channel_needs_credential_of_main(self):
        _, connection_id = self.open_main()
        own = self.token
        self.token = self.token_for(self.display.port, "spice", "spice-html5")
        self.assert_refused(
            connection_id, spice_client.DISPLAY, CloseReason.VIOLATION
        )
        self.token = own
        self.show_picture(connection_id)

    def test_number_of_channels_is_limited(self):
        _, connection_id = self.open_main()
        streams = []
        for _ in range(17):
            stream = self.connect()
            SpiceChannel(stream).send_link(connection_id, spice_client.CURSOR)
            streams.append(stream)
        closed = streams[-1].wait_until_closed()
        self.assertEqual(CloseReason.LIMIT_REACHED.code, closed.code)

    def test_main_that_is_no_spice_is_refused(self):
        stream = self.connect()
        stream.sendall(b"RFB 003.008\n")
        closed = stream.wait_until_closed()
        self.assertEqual(CloseReason.VIOLATION.code, closed.code)


class WorkersTests(SpiceTestCase):
    """Channels reach their main channel from any worker."""

    gateway_workers = 2

    def setUp(self):
        super().setUp()
        page = self.gateway.exchange(self.token).json
        self.path = f"/connect/{page['console']}"
        encoded = base64.urlsafe_b64encode(page["secret"].encode())
        self.subprotocol = f"console.{encoded.decode().rstrip('=')}"

    def connect(self):
        """Open a WebSocket, as the page does."""
        stream = self.gateway.connect(
            self.path, subprotocols=["binary", self.subprotocol]
        )
        self.addCleanup(stream.close)
        return stream

    def test_channels_at_all_workers(self):
        _, connection_id = self.open_main()
        # The kernel chooses a worker for each.
        for _ in range(8):
            channel = self.show_picture(connection_id)
            channel.stream.close()


class ViewOnlyTests(SpiceTestCase):
    gateway_options = {"gateway": {"view_only": "true"}}

    def test_channels_of_input_are_refused(self):
        _, connection_id = self.open_main()
        self.show_picture(connection_id)
        for channel_type in (
            spice_client.INPUTS,
            spice_client.RECORD,
            spice_client.USB_REDIRECTION,
            spice_client.PORT,
            99,
        ):
            self.assert_refused(
                connection_id, channel_type, CloseReason.VIOLATION
            )
        self.assertNotIn("input_event", self.display.log)

    def test_agent_messages_are_dropped(self):
        main, connection_id = self.open_main()
        # Without the filter, the display would end a session that uses the
        # agent before it is connected.
        for _ in range(50):
            main.send(107, bytes(2048))
        main.send(106, bytes(4))
        main.send(spice_client.MSGC_ATTACH)
        main.wait_for(104)
        self.show_picture(connection_id)
