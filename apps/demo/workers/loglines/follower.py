"""Follows a growing file line by line through truncation and rotation.

    open --read--> end of file --poll--> grew: read on
                                    |--> shorter than the position: truncated, start at 0
                                    '--> path names another file: rotated, finish this one, open it

A poll costs one fstat of the open file; the path itself is looked at less often.
"""

import os
import time

POLL_SECONDS = 0.02
ROTATION_CHECK_SECONDS = 0.1
MAX_LINE_BYTES = 64 * 1024
_READ_BYTES = 256 * 1024


class Line:
    __slots__ = ("text", "is_cut")

    def __init__(self, text, is_cut=False):
        self.text = text
        self.is_cut = is_cut


class LineSplitter:
    """Bytes in, complete lines out; a line over the limit is cut and its rest dropped."""

    def __init__(self, max_line_bytes=MAX_LINE_BYTES):
        self._max = max_line_bytes
        self._pending = b""
        self._skips_rest = False

    def feed(self, data):
        parts = (self._pending + data).split(b"\n")
        self._pending = parts.pop()
        for part in parts:
            if self._skips_rest:
                self._skips_rest = False
                continue
            yield self._line(part)
        if self._skips_rest:
            self._pending = b""
        elif len(self._pending) > self._max:
            yield self._line(self._pending)
            self._pending = b""
            self._skips_rest = True

    def flush(self):
        """The last line when no line end follows it any more."""
        pending, self._pending = self._pending, b""
        skips, self._skips_rest = self._skips_rest, False
        if pending and not skips:
            yield self._line(pending)

    def _line(self, raw):
        is_cut = len(raw) > self._max
        if is_cut:
            raw = raw[: self._max]
        elif raw.endswith(b"\r"):
            raw = raw[:-1]
        return Line(raw.decode("utf-8", "replace"), is_cut)


class FileFollower:
    """Reads what is there now; waiting is the caller's business, so that it can be cancelled."""

    def __init__(self, path, from_start=True, max_line_bytes=MAX_LINE_BYTES):
        self._path = path
        self._max_line_bytes = max_line_bytes
        self.rotations = 0
        self.truncations = 0
        self._file = open(path, "rb", buffering=0)
        self._splitter = LineSplitter(max_line_bytes)
        self._identity = _identity(os.fstat(self._file.fileno()))
        self._position = 0
        self._next_rotation_check = 0.0
        self._is_rotated = False
        if not from_start:
            self._position = self._file.seek(0, os.SEEK_END)

    def close(self):
        self._file.close()

    def lines(self):
        """The complete lines up to the end of the file as it is now."""
        self._rewind_if_truncated()
        yield from self._read_to_end()
        if self._look_for_successor():
            # What was written to the old file between the last read and the rename.
            yield from self._read_to_end()
            yield from self._splitter.flush()
            self._open_successor()
            yield from self._read_to_end()

    def has_news(self):
        """Whether `lines` may yield something; one fstat, now and then a stat of the path."""
        if os.fstat(self._file.fileno()).st_size != self._position:
            return True
        return self._look_for_successor()

    def last_line(self):
        """What stands after the last line end; for a reader that stops here."""
        yield from self._splitter.flush()

    def _read_to_end(self):
        while True:
            data = self._file.read(_READ_BYTES)
            if not data:
                return
            self._position += len(data)
            yield from self._splitter.feed(data)

    def _rewind_if_truncated(self):
        if os.fstat(self._file.fileno()).st_size < self._position:
            self.truncations += 1
            self._position = self._file.seek(0)
            self._splitter = LineSplitter(self._max_line_bytes)

    def _look_for_successor(self):
        """Whether the path names another file by now; remembered until that one is opened."""
        now = time.monotonic()
        if self._is_rotated or now < self._next_rotation_check:
            return self._is_rotated
        self._next_rotation_check = now + ROTATION_CHECK_SECONDS
        try:
            self._is_rotated = _identity(os.stat(self._path)) != self._identity
        except OSError:  # renamed away, the successor is not there yet
            self._is_rotated = False
        return self._is_rotated

    def _open_successor(self):
        self._is_rotated = False
        try:
            successor = open(self._path, "rb", buffering=0)
        except OSError:
            return
        self._file.close()
        self._file = successor
        self._identity = _identity(os.fstat(successor.fileno()))
        self._position = 0
        self._splitter = LineSplitter(self._max_line_bytes)
        self.rotations += 1


def _identity(stat):
    return stat.st_dev, stat.st_ino
