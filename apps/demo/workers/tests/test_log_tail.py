import os
import tempfile
import threading
import time
import unittest

import support
from log_tail import tail_and_analyze
from loglines.classifier import classify
from loglines.follower import MAX_LINE_BYTES, LineSplitter


class ClassifyTest(unittest.TestCase):
    CASES = (
        ('1.2.3.4 - ada [10/Oct/2025:13:55:36 +0000] "GET /a HTTP/1.1" 200 23 "-" "curl/8"',
         "access", "info", "http", "10/Oct/2025:13:55:36 +0000"),
        ('::1 - - [10/Oct/2025:13:55:36 +0000] "POST /b HTTP/1.1" 503 -',
         "access", "error", "http", "10/Oct/2025:13:55:36 +0000"),
        ('1.2.3.4 - - [10/Oct/2025:13:55:36 +0000] "\\x16\\x03" 400 0',
         "access", "warning", "http", "10/Oct/2025:13:55:36 +0000"),
        ("2025-01-02 10:00:00,123 ERROR shop.orders: deadlock detected",
         "python", "error", "database", "2025-01-02 10:00:00,123"),
        ("2025-01-02 10:00:00,123 - shop - WARNING - login failed for ada",
         "python", "warning", "auth", "2025-01-02 10:00:00,123"),
        ("CRITICAL:root:disk is full", "python", "critical", "system", None),
        ("Oct 11 22:14:15 web1 sshd[42]: Invalid user admin from 1.2.3.4",
         "syslog", "info", "auth", "Oct 11 22:14:15"),
        ("<11>Oct  1 02:14:15 web1 app: connection refused",
         "syslog", "error", "network", "Oct  1 02:14:15"),
        ('{"time": "2025-01-02T10:00:00Z", "level": "warn", "msg": "slow query"}',
         "json", "warning", "database", "2025-01-02T10:00:00Z"),
        ('{"time": 1735812000000, "level": 50, "msg": "boom"}', "json", "error", "other", "1735812000000"),
        ("2025-01-02T10:00:00Z server listening", "iso", "info", "system", "2025-01-02T10:00:00Z"),
        ("Traceback (most recent call last):", "plain", "error", "exception", None),
        ("ValueError: bad input", "plain", "error", "exception", None),
        ("    at shop.Main.run(Main.java:10)", "plain", "error", "exception", None),
        ("WARN low on something", "plain", "warning", "other", None),
        ("warning: unused name", "plain", "warning", "other", None),
        ("the information desk", "plain", "info", "other", None),
        ("{not json", "plain", "info", "other", None),
        ("", "plain", "info", "other", None),
    )  # fmt: skip

    def test_formats_levels_categories_and_timestamps(self):
        for line, *expected in self.CASES:
            with self.subTest(line=line):
                item = classify(line)
                found = [item[key] for key in ("format", "level", "category", "timestamp")]
                self.assertEqual(found, expected)

    def test_hostile_lines_take_little_time(self):
        started = time.perf_counter()
        for line in ('"' * 65536, "[" * 65536, "{" * 65536, '{"a":' * 13000, "a." * 32768 + "!",
                     '1 - - [x] "' + "\\" * 60000, "A" * 65536, " " * 65536):  # fmt: skip
            classify(line)
        self.assertLess(time.perf_counter() - started, 2)


class SplitterTest(unittest.TestCase):
    def test_lines_come_out_whole_however_they_come_in(self):
        data = "één\r\ntwo\n\nfour\n".encode()
        for size in range(1, len(data)):
            splitter = LineSplitter()
            lines = []
            for start in range(0, len(data), size):
                lines += [line.text for line in splitter.feed(data[start : start + size])]
            self.assertEqual(lines, ["één", "two", "", "four"])

    def test_a_long_line_is_cut_once(self):
        for size in (10, 50, 1000):
            splitter = LineSplitter(max_line_bytes=20)
            data = b"x" * 100 + b"\nshort\n"
            lines = []
            for start in range(0, len(data), size):
                lines += [
                    (line.text, line.is_cut) for line in splitter.feed(data[start : start + size])
                ]
            self.assertEqual(lines, [("x" * 20, True), ("short", False)])


class TailTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "app.log")
        self.write("")
        self.ctx = support.FakeContext()

    def write(self, text, mode="a"):
        with open(self.path, mode, encoding="utf-8", newline="") as out:
            out.write(text)

    def start(self, **options):
        """Follows in a thread; returns it and the growing list of items."""
        items = []
        stream = tail_and_analyze(self.path, self.ctx, **options)

        def collect():
            for item in stream:
                items.append(item)

        thread = threading.Thread(target=collect)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(setattr, self.ctx, "cancelled", True)
        return thread, items

    def wait_for(self, items, messages):
        give_up = time.monotonic() + 5
        while time.monotonic() < give_up:
            if [item["message"] for item in items if item["kind"] == "line"] == messages:
                return
            time.sleep(0.005)
        self.fail("got %r, wanted %r" % (items, messages))

    def test_a_growing_file_with_partial_lines(self):
        _, items = self.start()
        self.write("one\ntw")
        self.wait_for(items, ["one"])
        self.write("o\nthree\n")
        self.wait_for(items, ["one", "two", "three"])
        self.assertEqual([i["line_number"] for i in items if i["kind"] == "line"], [1, 2, 3])

    def test_from_the_end_only_new_lines_count(self):
        self.write("old\n")
        _, items = self.start(from_start=False)
        time.sleep(0.1)
        self.write("new\n")
        self.wait_for(items, ["new"])

    def test_truncation_starts_over(self):
        self.write("one\ntwo\n")
        _, items = self.start()
        self.wait_for(items, ["one", "two"])
        self.write("x\n", mode="w")
        self.wait_for(items, ["one", "two", "x"])

    def test_rotation_finishes_the_old_file_and_opens_the_new(self):
        self.write("one\n")
        _, items = self.start()
        self.wait_for(items, ["one"])
        old = open(self.path, "a", encoding="utf-8")
        os.rename(self.path, self.path + ".1")
        old.write("last of the old, no line end")
        old.close()
        self.write("first of the new\n")
        self.wait_for(items, ["one", "last of the old, no line end", "first of the new"])
        self.write("second\n")
        self.wait_for(items, ["one", "last of the old, no line end", "first of the new", "second"])

    def test_cancellation_ends_an_idle_stream_within_50_ms(self):
        self.write("one\n")
        thread, items = self.start()
        self.wait_for(items, ["one"])
        started = time.monotonic()
        self.ctx.cancelled = True
        thread.join(1)
        waited = time.monotonic() - started
        self.assertFalse(thread.is_alive())
        self.assertLess(waited, 0.05)

    def test_waiting_takes_little_processor_time(self):
        before = time.process_time()
        list(tail_and_analyze(self.path, self.ctx, idle_seconds=1))
        self.assertLess(time.process_time() - before, 0.1)

    def test_an_idle_file_ends_the_stream_with_a_final_summary(self):
        self.write("2025-01-02 10:00:00,123 ERROR a: b\nWARN c\nunfinished")
        items = list(tail_and_analyze(self.path, self.ctx, idle_seconds=0.1))
        self.assertEqual(items[-1]["kind"], "summary")
        self.assertEqual((items[-1]["lines"], items[-1]["final"]), (3, True))
        self.assertEqual(items[-1]["levels"], {"error": 1, "warning": 1, "info": 1})

    def test_a_running_summary_comes_every_thousand_lines(self):
        self.write("line\n" * 2500)
        items = list(tail_and_analyze(self.path, self.ctx, follow=False))
        summaries = [item["lines"] for item in items if item["kind"] == "summary"]
        self.assertEqual(summaries, [1000, 2000, 2500])

    def test_an_overlong_line_is_cut_and_flagged(self):
        self.write("x" * (3 * MAX_LINE_BYTES) + "\nnext\n")
        items = list(tail_and_analyze(self.path, self.ctx, follow=False))
        self.assertTrue(items[0]["line_is_cut"])
        self.assertEqual(items[1]["message"], "next")

    def test_lines_of_a_traceback_belong_together(self):
        self.write(
            'Traceback (most recent call last):\n  File "a.py", line 1\n    boom()\nKeyError: 1\nok\n'
        )
        items = list(tail_and_analyze(self.path, self.ctx, follow=False))
        categories = [item["category"] for item in items if item["kind"] == "line"]
        self.assertEqual(categories, ["exception"] * 4 + ["other"])

    def test_bad_paths_are_clear_errors(self):
        for path, error in (
            (self.path + ".missing", FileNotFoundError),
            (os.path.dirname(self.path), ValueError),
            ("", ValueError),
        ):
            with self.assertRaises(error):
                list(tail_and_analyze(path, self.ctx))
        with self.assertRaises(ValueError):
            list(tail_and_analyze(self.path, self.ctx, idle_seconds=-1))

    def test_the_shipped_logs(self):
        logs = os.path.join(support.DATA, "logs")
        access = list(tail_and_analyze(os.path.join(logs, "access.log"), self.ctx, follow=False))
        self.assertEqual(access[-1]["categories"], {"http": 200})
        app = list(tail_and_analyze(os.path.join(logs, "app.log"), self.ctx, follow=False))
        self.assertGreater(app[-1]["categories"]["exception"], 10)
        self.assertGreater(app[-1]["categories"]["database"], 100)
        self.assertGreater(app[-1]["categories"]["auth"], 1)


if __name__ == "__main__":
    unittest.main()
