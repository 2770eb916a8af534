"""A CSV file opened with its delimiter, header and column names settled."""

from .dialect import column_names, detect_delimiter, detect_header, sample_rows
from .row_batches import RowBatches, rectangular
from .text_source import TextSource

MIN_CHUNK_BYTES = 4096
MAX_CHUNK_BYTES = 16 * 1024 * 1024


class Table:
    """Context manager; `batches()` yields lists of rows that all have one field per column."""

    def __init__(self, path, chunk_bytes, delimiter=None, header=None):
        _require_chunk_bytes(chunk_bytes)
        _require_delimiter(delimiter)
        self.source = TextSource(path, chunk_bytes)
        try:
            text = self.source.sample()
            self.delimiter = delimiter or detect_delimiter(text)
            rows = sample_rows(text, self.delimiter)
            if not text.strip() or not rows:
                raise ValueError("the file is empty, there is nothing to read")
            self.has_header = detect_header(rows) if header is None else bool(header)
            self.names = column_names(rows[0], self.has_header)
        except BaseException:
            self.source.close()
            raise
        self._batches = RowBatches(self.source, self.delimiter)
        self._ragged_rows = 0
        self.rows = 0

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.source.close()

    @property
    def malformed_rows(self):
        """Ragged rows (kept, padded or cut) and refused ones (lost)."""
        return self._ragged_rows + self._batches.refused_records + self.source.dropped_lines

    def batches(self):
        skips_header = self.has_header
        for rows in self._batches:
            if skips_header:
                rows = [row for row in rows if row]
                if not rows:
                    continue
                rows = rows[1:]
                skips_header = False
            rows, ragged = rectangular(rows, len(self.names))
            self._ragged_rows += ragged
            self.rows += len(rows)
            if rows:
                yield rows


def _require_chunk_bytes(chunk_bytes):
    if isinstance(chunk_bytes, bool) or not isinstance(chunk_bytes, int):
        raise ValueError("chunk_bytes must be an integer")
    if not MIN_CHUNK_BYTES <= chunk_bytes <= MAX_CHUNK_BYTES:
        raise ValueError(
            "chunk_bytes must be between %d and %d, got %d"
            % (MIN_CHUNK_BYTES, MAX_CHUNK_BYTES, chunk_bytes)
        )


def _require_delimiter(delimiter):
    if delimiter is None:
        return
    if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n\0':
        raise ValueError("delimiter must be one character and no quote or line end")
