import gzip
import hashlib
import unittest

import support  # noqa: F401
from transfer.compression import compress
from transfer.redaction import redact
from transfer.summary import summarize

LOG = (
    b"10.1.2.3 - ada@example.org logged in\n"
    b"version 1.2.3.4.5 of 300 is no address, 999.1.1.1 looks like one\n"
    b"no end: bob.b+x@mail.example.co.uk via 192.168.0.1"
)
REDACTED = (
    b"x.x.x.x - x@x logged in\n"
    b"version 1.2.3.4.5 of 300 is no address, x.x.x.x looks like one\n"
    b"no end: x@x via x.x.x.x"
)


def cut(data, size):
    return [data[at : at + size] for at in range(0, len(data), size)]


class RedactTest(unittest.TestCase):
    def test_does_not_depend_on_how_the_chunks_are_cut(self):
        for size in (1, 2, 7, 50, 10_000):
            self.assertEqual(b"".join(redact(cut(LOG, size))), REDACTED, size)

    def test_leaves_other_bytes_alone(self):
        data = bytes(range(256)) * 40
        self.assertEqual(b"".join(redact(cut(data, 100))), data)

    def test_does_not_gather_a_line_without_end(self):
        longest = max(map(len, redact(b"a" * 65536 for _ in range(100))))
        self.assertLess(longest, 2 * 1024 * 1024)

    def test_passes_nothing_on_for_nothing(self):
        self.assertEqual(list(redact([])), [])


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
        self.assertEqual(summarize(cut(LOG, 9)), {"bytes": len(LOG), "lines": 3, "sha256": digest})


if __name__ == "__main__":
    unittest.main()
