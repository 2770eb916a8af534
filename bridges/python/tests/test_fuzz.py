"""Mutated bytes for every decoder: a short run; test/fuzz/python_decoders.py by itself makes long ones."""

import os
import sys
import unittest

from . import require_msgpack

FOLDER = os.path.join(os.path.dirname(__file__), "..", "..", "..", "test", "fuzz")


class Decoders(unittest.TestCase):
    def test_mutated_bytes_are_read_or_refused_in_time_and_in_bounded_memory(self):
        require_msgpack()
        sys.path.insert(0, FOLDER)
        self.addCleanup(sys.path.remove, FOLDER)
        import python_decoders

        for figures in python_decoders.fuzz(seed=1, cycles=4_000):
            with self.subTest(figures["name"]):
                self.assertEqual(figures["findings"], [])


if __name__ == "__main__":
    unittest.main()
