"""A followed file as a stream of classified lines and running summaries."""

import time
from collections import Counter

from .classifier import LineClassifier
from .follower import POLL_SECONDS, FileFollower

SUMMARY_LINES = 1000
SUMMARY_SECONDS = 1.0


def tail(path, is_cancelled, from_start=True, follow=True, idle_seconds=None):
    """Yields `{"kind": "line", ...}` and `{"kind": "summary", ...}` items.

    Ends at the end of the file without `follow`, after `idle_seconds` without a new line, or
    within POLL_SECONDS of cancellation. The last item of an end of its own is a summary whose
    `final` is true.
    """
    follower = FileFollower(path, from_start)
    try:
        summary = _Summary(follower)
        idle_since = time.monotonic()
        while True:
            for line in follower.lines():
                if is_cancelled():
                    return
                yield summary.item(line)
                idle_since = time.monotonic()
                if summary.is_due(idle_since):
                    yield summary.report(idle_since)
            if not follow:
                break
            if not _wait_for_news(follower, summary, is_cancelled, idle_since, idle_seconds):
                if is_cancelled():
                    return
                if summary.has_changed:
                    yield summary.report(time.monotonic())
                if _is_over(idle_since, idle_seconds):
                    break
        for line in follower.last_line():
            yield summary.item(line)
        yield summary.report(time.monotonic(), final=True)
    finally:
        follower.close()


def _wait_for_news(follower, summary, is_cancelled, idle_since, idle_seconds):
    """True when there is something to read; False when a summary, the end or a cancel is due."""
    while not is_cancelled():
        if follower.has_news():
            return True
        now = time.monotonic()
        if summary.has_changed and summary.is_due(now):
            return False
        if _is_over(idle_since, idle_seconds):
            return False
        time.sleep(POLL_SECONDS)
    return False


def _is_over(idle_since, idle_seconds):
    return idle_seconds is not None and time.monotonic() - idle_since >= idle_seconds


class _Summary:
    """Counts of everything since the start; due every so many lines or seconds."""

    def __init__(self, follower):
        self._follower = follower
        self._classifier = LineClassifier()
        self._lines = 0
        self._levels = Counter()
        self._categories = Counter()
        self._reported_lines = 0
        self._reported_at = time.monotonic()

    @property
    def has_changed(self):
        return self._lines > self._reported_lines

    def is_due(self, now):
        return (
            self._lines - self._reported_lines >= SUMMARY_LINES
            or now - self._reported_at >= SUMMARY_SECONDS
        )

    def item(self, line):
        item = self._classifier.classify(line.text)
        self._lines += 1
        self._levels[item["level"]] += 1
        self._categories[item["category"]] += 1
        item["kind"] = "line"
        item["line_number"] = self._lines
        if line.is_cut:
            item["line_is_cut"] = True
        return item

    def report(self, now, final=False):
        self._reported_lines = self._lines
        self._reported_at = now
        return {
            "kind": "summary",
            "lines": self._lines,
            "levels": dict(self._levels),
            "categories": dict(self._categories),
            "rotations": self._follower.rotations,
            "truncations": self._follower.truncations,
            "final": final,
        }
