# SPDX-License-Identifier: Apache-2.0
import random
import struct
import unittest

from console_api.rfb.errors import ViolationError
from console_api.spice.link import (
    Capability,
    Link,
    LinkReader,
    decode_reply,
)
from console_api.tests.unit.spice import samples

MALFORMED = {
    "HTTP": b"GET / HTTP/1.1\r\n",
    "RFB": b"RFB 003.008\n",
    "version 1": samples.link(version=1),
    "short": struct.pack("<4sIII", b"REDQ", 2, 2, 17),
    "long": struct.pack("<4sIII", b"REDQ", 2, 2, 4097),
    "ticket before the answer": samples.link() + samples.TICKET,
    "main with an ID": samples.link(connection_id=1),
    "display without an ID": samples.link(channel_type=2),
    "type 0 without an ID": samples.link(channel_type=0),
    "capabilities before the end of the link": struct.pack(
        "<4sIIIIBBIIII", b"REDQ", 2, 2, 22, 0, 1, 0, 1, 0, 17, 9
    ),
    "capabilities behind the end": struct.pack(
        "<4sIIIIBBIIII", b"REDQ", 2, 2, 22, 0, 1, 0, 1, 0, 19, 9
    ),
    "many capabilities": struct.pack(
        "<4sIIIIBBIII", b"REDQ", 2, 2, 18, 0, 1, 0, 2**32 - 1, 2**32 - 1, 18
    ),
}


class LinkReaderTest(unittest.TestCase):
    def test_link_split_anywhere(self) -> None:
        sent = samples.link(samples.CONNECTION_ID, 3)
        for end in range(len(sent)):
            with self.subTest(end):
                reader = LinkReader()
                self.assertIsNone(reader.receive(sent[:end]))
                link = reader.receive(sent[end:])
                assert link is not None
                self.assertEqual(sent, link.message)
                self.assertEqual(samples.CONNECTION_ID, link.connection_id)
                self.assertEqual(3, link.channel_type)
                self.assertFalse(link.is_main)
                self.assertEqual({*Capability}, link.capabilities)

    def test_link_without_capabilities(self) -> None:
        link = LinkReader().receive(samples.link(capabilities=None))
        assert link is not None
        self.assertTrue(link.is_main)
        self.assertEqual(frozenset(), link.capabilities)

    def test_malformed_links_are_refused(self) -> None:
        for name, sent in MALFORMED.items():
            for size in (1, 4096):
                with self.subTest(name, size=size):
                    reader = LinkReader()
                    with self.assertRaises(ViolationError):
                        for start in range(0, len(sent), size):
                            reader.receive(sent[start : start + size])

    def test_random_links(self) -> None:
        source = random.Random(17)
        for _ in range(3000):
            sent = bytearray(samples.link(samples.CONNECTION_ID, 2))
            for _ in range(source.randint(1, 4)):
                sent[source.randrange(4, len(sent))] = source.choice(
                    (0, 1, 2, 3, 17, 18, 255)
                )
            with self.subTest(bytes(sent)):
                self.check(bytes(sent))

    def check(self, sent: bytes) -> None:
        try:
            link = LinkReader().receive(sent)
        except ViolationError:
            return
        if link is not None:
            self.assertIsInstance(link, Link)
            self.assertNotEqual(link.is_main, bool(link.connection_id))


class ReplyTest(unittest.TestCase):
    def test_capabilities(self) -> None:
        body = samples.reply(samples.MINI_HEADER)[16:]
        self.assertEqual({Capability.MINI_HEADER}, decode_reply(body))

    def test_refusal_has_no_capabilities(self) -> None:
        self.assertIsNone(decode_reply(samples.reply(error=7)[16:]))

    def test_malformed_reply_has_no_capabilities(self) -> None:
        self.assertIsNone(decode_reply(samples.reply()[16:-1]))
        self.assertIsNone(decode_reply(bytes(20)))
