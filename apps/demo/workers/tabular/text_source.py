"""A file as decoded lines, read in chunks of bounded size.

The csv module wants an endless iterator of lines, since a quoted field may span chunks; the
profiler wants to know how many bytes are behind it. `TextSource` gives both: `lines` never ends
before the file does, and `chunks_read` tells when a new chunk began.
"""

import codecs
import io
import os
from itertools import chain

# A byte run of this length without a line end is not a table; it is dropped and counted.
MAX_LINE_CHARS = 8 * 1024 * 1024

# UTF-32 comes before UTF-16, whose mark is a prefix of it.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "utf-16"),
)


def require_readable_file(path):
    """Returns the absolute path, or raises an error that says what is wrong with it."""
    if not isinstance(path, str) or not path:
        raise ValueError("path must be a non-empty string")
    absolute = os.path.abspath(path)
    if not os.path.exists(absolute):
        raise FileNotFoundError("no such file: %s" % path)
    if not os.path.isfile(absolute):
        raise ValueError("not a regular file: %s" % path)
    return absolute


class TextSource:
    """Decodes one file chunk by chunk; invalid bytes become U+FFFD and are counted."""

    def __init__(self, path, chunk_bytes):
        self.path = require_readable_file(path)
        self._file = open(self.path, "rb", buffering=0)
        self.total_bytes = os.fstat(self._file.fileno()).st_size
        self.bytes_read = 0
        self.chunks_read = 0
        self.invalid_characters = 0
        self.dropped_lines = 0
        self._chunk_bytes = chunk_bytes
        self._codec, self.encoding, self.has_bom = self._detect_encoding()
        self.lines = chain.from_iterable(io.StringIO(text, newline="") for text in self._texts())

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.close()

    def close(self):
        self._file.close()

    def sample(self, max_bytes=65536):
        """The decoded head of the file, cut at a line end; the reading position stays."""
        head = self._file.read(max_bytes)
        self._file.seek(0)
        text = codecs.getincrementaldecoder(self._codec)("replace").decode(head)
        if len(head) < self.total_bytes:
            text = text[: _last_line_end(text)] or text
        return text.replace("\0", "\ufffd")

    def _detect_encoding(self):
        head = self._file.read(4)
        self._file.seek(0)
        for mark, codec, name in _BYTE_ORDER_MARKS:
            if head.startswith(mark):
                return codec, name, True
        return "utf-8", "utf-8", False

    def _texts(self):
        decoder = codecs.getincrementaldecoder(self._codec)("replace")
        pending = ""
        is_dropping = False
        while True:
            data = self._file.read(self._chunk_bytes)
            self.bytes_read += len(data)
            text = self._clean(decoder.decode(data, final=not data))
            cut = _last_line_end(text)
            if not data:
                self.chunks_read += 1
                if is_dropping:
                    self.dropped_lines += 1
                elif pending or text:
                    yield pending + text
                return
            if cut == 0:
                pending = "" if is_dropping else pending + text
                if len(pending) > MAX_LINE_CHARS:
                    pending = ""
                    is_dropping = True
                continue
            start = 0
            if is_dropping:
                self.dropped_lines += 1
                is_dropping = False
                start = _first_line_end(text)
            self.chunks_read += 1
            complete = pending + text[start:cut]
            pending = text[cut:]
            if complete:
                yield complete

    def _clean(self, text):
        if "\ufffd" in text:
            self.invalid_characters += text.count("\ufffd")
        if "\0" in text:
            # The csv module refuses NUL before Python 3.11.
            self.invalid_characters += text.count("\0")
            text = text.replace("\0", "\ufffd")
        return text


def _last_line_end(text):
    """Index after the last complete line end; a trailing CR may be half of a CRLF."""
    newline = text.rfind("\n") + 1
    if newline:
        return newline
    return text.rfind("\r", 0, max(len(text) - 1, 0)) + 1


def _first_line_end(text):
    newline = text.find("\n") + 1
    return newline or text.find("\r") + 1
