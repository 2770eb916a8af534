import gzip
import hashlib
import unittest

import support  # noqa: F401
from transfer.compression import compress
from transfer.matching import matching
from transfer.summary import summarize

LOG = b"first 500\nsecond 200\n\nthird 500\r\nlast 500 without end"
FOUND = b"first 500\nthird 500\r\nlast 500 without end"


def cut(data, size):
    return [data[at : at + size] for at in range(0, len(data), size)]


class MatchingTest(unittest.TestCase):
    def test_does_not_depend_on_how_the_chunks_are_cut(self):
        for size in (1, 2, 7, 50, 10_000):
            self.assertEqual(b"".join(matching(cut(LOG, size), b"500")), FOUND, size)
            self.assertEqual(b"".join(matching(cut(LOG, size), b"none")), b"", size)

    def test_keeps_the_line_feed_of_the_last_line(self):
        self.assertEqual(b"".join(matching([b"no\n5", b"00\n"], b"500")), b"500\n")

    def test_does_not_gather_a_line_without_end(self):
        longest = max(map(len, matching((b"a" * 65536 for _ in range(100)), b"a")))
        self.assertLess(longest, 2 * 1024 * 1024)

    def test_passes_nothing_on_for_nothing(self):
        self.assertEqual(list(matching([], b"a")), [])


class CompressTest(unittest.TestCase):
    def test_makes_one_gzip_file(self):
        for level in (1, 9):
            packed = b"".join(compress(cut(LOG * 1000, 777), level))
            self.assertEqual(gzip.decompress(packed), LOG * 1000)
            self.assertLess(len(packed), len(LOG) * 20)


class SummarizeTest(unittest.TestCase):
    def test_counts_the_last_line_whether_or_not_it_ends(self):
        self.assertEqual(summarize([])["lines"], 0)
        self.assertEqual(summarize([b"a\n", b"b"])["lines"], 2)
        self.assertEqual(summarize([b"a\nb\n"])["lines"], 2)

    def test_tells_size_and_digest(self):
        digest = hashlib.sha256(LOG).hexdigest()
        self.assertEqual(summarize(cut(LOG, 9)), {"bytes": len(LOG), "lines": 5, "sha256": digest})


if __name__ == "__main__":
    unittest.main()
