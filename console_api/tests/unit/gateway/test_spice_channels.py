# SPDX-License-Identifier: Apache-2.0
import unittest
from dataclasses import asdict, replace

from console_api.gateway.brokers.base import Credential, Refused
from console_api.gateway.close_reasons import CloseReason
from console_api.gateway.spice_channels import (
    MAX_CHANNELS,
    SpiceSessions,
    digest,
)
from console_api.spice.link import Link, LinkReader
from console_api.tests.unit.gateway import recorded
from console_api.tests.unit.spice import samples

ID = samples.CONNECTION_ID

SECRET = Credential(secret="s" * 43)
OTHERS = (Credential(secret="other"), Credential(token=SECRET.secret))

GRANT = replace(recorded.GRANT, console_type="spice-html5", secret="")


def link(channel_type: int = 2, connection_id: int = ID) -> Link:
    """Return the link of a channel besides main."""
    found = LinkReader().receive(samples.link(connection_id, channel_type))
    assert found is not None
    return found


class Channel:
    """Records why it was cut."""

    def __init__(self) -> None:
        self.reasons: list[CloseReason] = []

    def cut(self, reason: CloseReason) -> None:
        """Record a reason."""
        self.reasons.append(reason)


class SpiceSessionsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.sessions = SpiceSessions()
        self.session = self.sessions.begin(SECRET, GRANT)
        self.session.connection_id = ID

    def test_channel_joins_session_and_ends_with_it(self) -> None:
        channel, gone = Channel(), Channel()
        self.assertIs(self.session, self.sessions.find(digest(SECRET), link()))
        self.session.join(link(), channel)
        self.session.join(link(), gone)
        self.session.leave(gone)
        self.sessions.end(SECRET, self.session, CloseReason.CUT)
        self.assertEqual([CloseReason.CUT], channel.reasons)
        self.assertEqual([], gone.reasons)
        self.assertFalse(self.sessions.has_main(SECRET))
        self.assertIsNone(self.sessions.find(digest(SECRET), link()))

    def test_other_credentials_and_ids_are_refused(self) -> None:
        self.assertTrue(self.sessions.has_main(SECRET))
        for credential in OTHERS:
            self.assertFalse(self.sessions.has_main(credential))
            self.assertIsNone(self.sessions.find(digest(credential), link()))
        other = link(connection_id=ID + 1)
        self.assertIsNone(self.sessions.find(digest(SECRET), other))

    def test_channel_before_the_id_is_known_is_unknown(self) -> None:
        self.session.connection_id = None
        self.assertIsNone(self.sessions.find(digest(SECRET), link()))

    def test_secret_is_not_kept(self) -> None:
        session = self.sessions.begin(SECRET, replace(GRANT, secret="s3cret"))
        self.assertNotIn("s3cret", str(asdict(session.grant)))

    def test_two_sessions_of_a_credential(self) -> None:
        second = self.sessions.begin(SECRET, GRANT)
        second.connection_id = 5
        self.assertIs(second, self.sessions.find(digest(SECRET), link(2, 5)))
        self.sessions.end(SECRET, self.session, CloseReason.CLIENT_CLOSED)
        self.assertIs(second, self.sessions.find(digest(SECRET), link(2, 5)))
        self.sessions.end(SECRET, self.session, CloseReason.CLIENT_CLOSED)
        self.assertTrue(self.sessions.has_main(SECRET))

    def test_number_of_channels_is_limited(self) -> None:
        for _ in range(MAX_CHANNELS):
            self.session.join(link(), Channel())
        with self.assertRaises(Refused) as caught:
            self.session.join(link(), Channel())
        self.assertIs(CloseReason.LIMIT_REACHED, caught.exception.reason)

    def test_view_only_session_has_no_channels_of_input(self) -> None:
        session = self.sessions.begin(SECRET, replace(GRANT, view_only=True))
        allowed = set()
        for channel_type in {*range(256)} - {1}:
            try:
                session.join(link(channel_type), Channel())
                allowed.add(channel_type)
            except Refused as refusal:
                self.assertIs(CloseReason.VIOLATION, refusal.reason)
        # Display, cursor and playback.
        self.assertEqual({2, 4, 5}, allowed)
