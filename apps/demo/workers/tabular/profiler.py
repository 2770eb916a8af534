"""Profiles a CSV file in one pass; memory depends on the columns, not on the rows."""

import time

from .budget import budget_for
from .column import ColumnProfile
from .table import Table

# A quarter of a megabyte of short fields is already ten as Python strings.
DEFAULT_CHUNK_BYTES = 256 * 1024
PROGRESS_SECONDS = 0.1


def profile(path, chunk_bytes=DEFAULT_CHUNK_BYTES, top=10, delimiter=None, header=None,
            clock=time.monotonic):  # fmt: skip
    """Yields progress items and, last, the result."""
    if isinstance(top, bool) or not isinstance(top, int) or not 0 <= top <= 100:
        raise ValueError("top must be an integer between 0 and 100")
    started = clock()
    with Table(path, chunk_bytes, delimiter, header) as table:
        columns = _columns(table.names)
        reported = started
        for rows in table.batches():
            for column, values in zip(columns, zip(*rows)):
                column.add_batch(values)
            now = clock()
            if now - reported >= PROGRESS_SECONDS:
                reported = now
                yield _progress(table)
        yield _progress(table)
        yield _result(table, columns, top, clock() - started)


def _columns(names):
    budget = budget_for(len(names))
    return [ColumnProfile(name, budget, seed) for seed, name in enumerate(names)]


def _progress(table):
    return {
        "kind": "progress",
        "bytes": table.source.bytes_read,
        "total_bytes": table.source.total_bytes,
        "rows": table.rows,
    }


def _result(table, columns, top, seconds):
    source = table.source
    return {
        "kind": "result",
        "rows": table.rows,
        "columns": [column.result(top) for column in columns],
        "malformed_rows": table.malformed_rows,
        "delimiter": table.delimiter,
        "header": table.has_header,
        "encoding": source.encoding,
        "bom": source.has_bom,
        "invalid_characters": source.invalid_characters,
        "bytes": source.bytes_read,
        "elapsed_ms": round(seconds * 1000),
    }
