"""The arena: its allocator, who owns what in it, and what a full memory does."""

import os
import random
import tempfile
import unittest
from unittest import mock

from snakepit_bridge.errors import ProtocolError
from snakepit_bridge.v2.arena import Arena
from snakepit_bridge.v2.slices import SliceAllocator

PAGE = 4096
HALF = 64 * PAGE


class Slices(unittest.TestCase):
    def test_no_byte_is_handed_out_twice_and_all_gaps_are_joined_in_the_end(self):
        for seed in range(200):
            chance = random.Random(seed)
            allocator, held = SliceAllocator(HALF), {}
            for _ in range(100):
                if held and chance.random() < 0.45:
                    start = chance.choice(list(held))
                    self.assertTrue(allocator.free(start))
                    del held[start]
                else:
                    count = chance.randrange(20 * PAGE)
                    start = allocator.allocate(count)
                    if start is not None:
                        held[start] = count
                end = 0
                for start in sorted(held):
                    self.assertGreaterEqual(start, end)
                    end = start + held[start]
                self.assertLessEqual(end, HALF)
                self.assertEqual(len(allocator), len(held))
            for start in held:
                allocator.free(start)
            self.assertEqual(allocator.allocate(HALF), 0)

    def test_only_what_was_handed_out_comes_back(self):
        allocator = SliceAllocator(HALF)
        start = allocator.allocate(2 * PAGE)
        self.assertFalse(allocator.free(start + PAGE))
        self.assertTrue(allocator.free(start))
        self.assertFalse(allocator.free(start))


class Ownership(unittest.TestCase):
    def setUp(self):
        file = tempfile.TemporaryFile()
        self.addCleanup(file.close)
        file.truncate(2 * HALF)
        self.file = file
        self.arena = Arena.accept({"fd": file.fileno(), "bytes": 2 * HALF, "thresholdBytes": PAGE})

    def read(self, offset, count):
        return os.pread(self.file.fileno(), count, offset)

    def test_bytes_are_copied_once_and_stay_until_they_are_released(self):
        first = self.arena.put(memoryview(b"a" * PAGE))
        second = self.arena.put(memoryview(b"b" * PAGE))
        self.assertEqual(self.read(first, PAGE) + self.read(second, PAGE), b"a" * PAGE + b"b" * PAGE)
        self.arena.release([first])
        self.assertEqual(self.arena.put(memoryview(b"c" * PAGE)), first)
        with self.assertRaises(ProtocolError):
            self.arena.release([HALF + 10 * PAGE])

    def test_allocated_memory_is_sent_where_it_lies_and_once(self):
        memory = self.arena.allocate(7, 2 * PAGE)
        memory[:] = b"x" * len(memory)
        offset = self.arena.put(memory[PAGE:])
        self.assertEqual(offset, HALF + PAGE)
        self.assertNotEqual(self.arena.put(memory[PAGE:]), offset)
        self.arena.end_call(7)
        self.assertEqual(self.read(offset, PAGE), b"x" * PAGE)
        self.arena.release([offset])
        self.assertIsNotNone(self.arena.allocate(8, PAGE))

    def test_a_call_that_ends_gives_back_what_it_did_not_send(self):
        for call in range(100):
            self.assertIsNotNone(self.arena.allocate(call, HALF // 2))
            self.arena.end_call(call)

    def test_views_of_arguments_end_with_their_call(self):
        view = self.arena.view(0, PAGE)
        self.arena.lend(7, [(0, view)])
        self.assertEqual(self.arena.put(view[16:]), 16)
        self.arena.end_call(7)
        with self.assertRaises(ValueError):
            view[0]
        with self.assertRaises(ProtocolError):
            self.arena.view(HALF - 1, 2)

    def test_no_room_is_told_once_and_is_no_failure(self):
        with mock.patch("snakepit_bridge.v2.arena.complain") as complain:
            self.assertIsNone(self.arena.put(memoryview(bytes(HALF + 1))))
            self.assertIsNone(self.arena.allocate(1, HALF + 1))
            complain.assert_called_once()

    def test_a_full_memory_is_no_room(self):
        with mock.patch("snakepit_bridge.v2.arena.complain") as complain:
            with mock.patch("os.posix_fallocate", side_effect=OSError(28, "No space left on device")):
                self.assertIsNone(self.arena.put(memoryview(bytes(PAGE))))
            complain.assert_called_once()
        self.assertEqual(self.arena.put(memoryview(bytes(HALF))), HALF)

    def test_a_descriptor_that_is_not_the_offered_file_is_not_accepted(self):
        self.assertIsNone(Arena.accept({"fd": self.file.fileno(), "bytes": HALF, "thresholdBytes": PAGE}))
        self.assertIsNone(Arena.accept({"fd": 9999, "bytes": HALF, "thresholdBytes": PAGE}))
        self.assertIsNone(Arena.accept({"fd": "4"}))
        self.assertIsNone(Arena.accept(None))


if __name__ == "__main__":
    unittest.main()
