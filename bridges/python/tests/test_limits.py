"""What decoders refuse although it is well-formed, or before they take memory for it."""

import struct
import tracemalloc
import unittest
from io import BytesIO

from snakepit_bridge.codec import create_codec
from snakepit_bridge.codec.binary import BinaryForm
from snakepit_bridge.codec.json_codec import TAGGED
from snakepit_bridge.errors import ProtocolError, RefusedValue
from snakepit_bridge.v1.channel import Channel
from snakepit_bridge.v1.server import select_protocol
from snakepit_bridge.v2.hello import HostHello, read_hello
from snakepit_bridge.v2.frame import CALL, HELLO, pack_frame
from snakepit_bridge.v2.reader import FrameReader
from snakepit_bridge.zygote.control import FORK, read_order

from . import require_msgpack


class OneWrite:
    """Stands in for a socket that has received some bytes at once."""

    def __init__(self, data):
        self.data = data

    def recv_into(self, target, _count, _flags):
        count = min(len(self.data), len(target))
        target[:count] = self.data[:count]
        self.data = self.data[count:]
        return count


class FourKilobytes:
    """Stands in for an arena."""

    threshold_bytes = 4096

    def view(self, offset, length):
        return memoryview(bytes(4096))[offset : offset + length]


def tagged(text, attachments=b""):
    return struct.pack(">I", len(text)) + text.encode() + attachments


class Limits(unittest.TestCase):
    def decode(self, codec, body, flags=0, binary=None):
        return create_codec(codec, 64, binary).decode(body, flags)

    def assert_small(self, codec, body, flags=0, most=1 << 20):
        """A body is refused, and takes less memory than that on the way."""
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        with self.assertRaises((ProtocolError, RefusedValue)):
            self.decode(codec, body, flags)
        self.assertLess(tracemalloc.get_traced_memory()[1], most)
        tracemalloc.stop()

    def test_no_memory_is_taken_on_the_word_of_a_length(self):
        require_msgpack()
        for body in ("ddffffffff", "dfffffffff", "c6ffffffff", "dbffffffff", "c9ffffffff020a", "ddffffffff" * 60):
            with self.subTest(body[:20]):
                self.assert_small("msgpack", bytes.fromhex(body))

    def test_lists_within_lists_get_no_room_on_their_word(self):
        require_msgpack()
        for unit, padding in (("dd0000c000", 0), ("dcffff", 0), ("dd0000c000", 60_000), ("93dd0000c000", 60_000)):
            with self.subTest(unit, padding=padding):
                self.assert_small("msgpack", bytes.fromhex(unit) * (400 if padding else 12_000) + bytes(padding))
        numbers = [[1.1] * 100, list(range(0xDC00, 0xDE00))] * 200
        self.assertEqual(self.decode("msgpack", create_codec("msgpack", 64).encode(numbers)[1]), numbers)

    def test_a_header_reserves_no_memory_beyond_the_limit(self):
        reader = FrameReader(OneWrite(struct.pack(">IBBHI", 0xFFFFFFFF, CALL, 0, 0, 1)), 1 << 20)
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        reader.receive(is_blocking=True)
        with self.assertRaises(ProtocolError):
            reader.parse(self.fail, self.fail, 0.0)
        self.assertLess(tracemalloc.get_traced_memory()[1], 1 << 18)

    def test_each_byte_of_an_attachment_is_copied_once(self):
        text = "[" + '{"$bin":[0,100000]},' * 200 + "0]"
        self.assert_small("json", tagged(text, bytes(100_000)), TAGGED, 2 << 20)
        both = self.decode("json", tagged('[{"$bin":[0,2]},{"$bin":[2,2]}]', b"abcd"), TAGGED)
        self.assertEqual(both, [b"ab", b"cd"])

    def test_what_a_body_copies_out_of_the_arena_is_bounded_by_the_frame_limit(self):
        require_msgpack()
        form = BinaryForm(FourKilobytes(), 8_192)
        reference = b"\xc7\x11\x01" + struct.pack(">BQQ", 0, 0, 4096)
        packed, text = create_codec("msgpack", 64, form), create_codec("json", 64, form)
        for _ in range(2):
            self.assertEqual(len(packed.decode(b"\x92" + reference * 2)), 2)
            with self.assertRaises(ProtocolError):
                packed.decode(b"\x93" + reference * 3)
        self.assertEqual(len(text.decode(tagged('[{"$shm":[0,4096]},{"$shm":[0,4096]}]'), TAGGED)), 2)
        with self.assertRaises(ProtocolError):
            text.decode(tagged('[{"$shm":[0,4096]},{"$shm":[0,4096]},{"$shm":[0,4096]}]'), TAGGED)

    def test_nesting_is_refused_whatever_it_is_made_of(self):
        require_msgpack()
        for codec, flags, body in (
            ("json", 0, b"[" * 30_000 + b"]" * 30_000),
            ("json", TAGGED, tagged('{"$int":' + "[" * 30_000 + "]" * 30_000 + "}")),
            ("json", TAGGED, tagged('{"$esc":{"a":' * 90 + "1" + "}}" * 90)),
            ("msgpack", 0, b"\x91" * 30_000 + b"\xc0"),
            ("msgpack", 0, b"\x91" * 100 + b"\xc0"),
        ):
            with self.subTest(body[:20]), self.assertRaises((ProtocolError, RefusedValue)):
                self.decode(codec, body, flags)

    def test_hellos_that_make_no_sense_are_protocol_errors(self):
        for body in (b"[" * 30_000, b'{"protocol":7}', b'{"codecs":"json"}', b'{"maxDepth":true}', b"[]", b"7", b'{"maxFrameBytes":0}'):
            with self.subTest(body[:20]), self.assertRaises(ProtocolError):
                read_hello(FrameReader(OneWrite(pack_frame(HELLO, 0, body=body)), 1 << 20))
        self.assertEqual(HostHello({}).protocols, [2])

    def test_orders_that_make_no_sense_are_protocol_errors(self):
        for body in (b"[" * 30_000, b"[]", b'{"token":"t","env":"text"}', b'{"token":"t","env":{"SNAKEPIT_FD":"x"}}'):
            with self.subTest(body[:20]), self.assertRaises(ProtocolError):
                read_order(FORK, 0, 0, 1, body, 0.0)

    def test_a_v1_message_that_is_nested_too_deeply_is_a_protocol_error(self):
        body = b'{"id":1,"command":"c","args":' + b"[" * 500 + b"]" * 500 + b"}"
        with self.assertRaises(ProtocolError):
            Channel(BytesIO(struct.pack(">I", len(body)) + body), BytesIO()).read()

    def test_a_negotiation_that_makes_no_sense_means_json(self):
        for supported in (None, 7, "msgpack", {"msgpack": 1}, [[], {}]):
            with self.subTest(supported):
                self.assertEqual(select_protocol({"supported": supported, "preferred": "json"}), "json")


if __name__ == "__main__":
    unittest.main()
