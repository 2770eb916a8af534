"""Encoding on several threads, and within an encoding."""

import threading
import tracemalloc
import unittest

from snakepit_bridge.codec import create_codec
from snakepit_bridge.codec.binary import BinaryForm
from snakepit_bridge.errors import UnencodableValue

from . import require_msgpack


class LogsOnTheWay(dict):
    """A map that encodes something else, as a finalizer that logs may, while it is being encoded."""

    def __init__(self, values, encode):
        super().__init__(values)
        self.encode = encode
        self.encoded = []

    def items(self):
        self.encoded.append(self.encode({"logged": True}))
        return super().items()


class EncodeApartTest(unittest.TestCase):
    def setUp(self):
        require_msgpack()
        self.codec = create_codec("msgpack", 64, BinaryForm(None, 1 << 30))

    def round_trip(self, value):
        flags, body = self.codec.encode_apart(value)
        return self.codec.decode(bytes(body), flags)

    def test_an_encoding_within_an_encoding_leaves_both_whole(self):
        value = LogsOnTheWay({"a": [1, 2]}, self.codec.encode_apart)
        self.assertEqual(self.round_trip({"outer": value}), {"outer": {"a": [1, 2]}})
        self.assertEqual([self.codec.decode(body) for _, body in value.encoded], [{"logged": True}] * len(value.encoded))
        self.assertTrue(value.encoded)

    def test_threads_do_not_get_into_each_others_bodies(self):
        wrong = []

        def encode(number):
            for count in range(2_000):
                value = {"thread": number, "items": [count] * 20, "text": "x" * number}
                if self.round_trip(value) != value or self.round_trip(count) != count:
                    wrong.append(number)

        threads = [threading.Thread(target=encode, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])

    def test_a_failed_encoding_leaves_nothing_in_the_next(self):
        for bad in ({"a": [1, 2, object()]}, 2**65, "\ud800"):
            with self.assertRaises(UnencodableValue):
                self.codec.encode_apart(bad)
            self.assertEqual(self.round_trip({"b": 3}), {"b": 3})
            self.assertEqual(self.round_trip(7), 7)

    def test_the_memory_of_a_large_body_is_not_kept(self):
        self.codec.encode_apart(1)
        value = ["x" * 1024] * 8192
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        self.codec.encode_apart(value)
        kept, peak = tracemalloc.get_traced_memory()
        self.assertGreater(peak, 8 << 20)
        self.assertLess(kept, 1 << 20)


if __name__ == "__main__":
    unittest.main()
