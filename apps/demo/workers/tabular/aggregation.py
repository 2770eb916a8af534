"""Groups the rows of a CSV by one column, chunk by chunk.

Memory depends on the number of groups: at MAX_GROUPS new values are gathered in one rest group.
"""

import math
import time
from collections import Counter

from .table import Table
from .value_kinds import FLOAT, INTEGER, is_null, typed

OPERATIONS = ("count", "sum", "mean", "min", "max")
DEFAULT_CHUNK_BYTES = 1024 * 1024
MAX_GROUPS = 10_000
REST = "(other values)"
PARTIAL_GROUPS = 5


def aggregate(path, column, operation="count", value_column=None,
              chunk_bytes=DEFAULT_CHUNK_BYTES, limit=100):  # fmt: skip
    """Yields one partial item per chunk and, last, the result with the `limit` top groups."""
    _require_operation(operation, value_column)
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MAX_GROUPS:
        raise ValueError("limit must be an integer between 1 and %d" % MAX_GROUPS)
    started = time.monotonic()
    with Table(path, chunk_bytes) as table:
        key_index = _index_of(table.names, column)
        value_index = None if value_column is None else _index_of(table.names, value_column)
        groups = _Groups()
        for chunk, rows in enumerate(table.batches()):
            before = groups.skipped_values
            if value_index is None:
                groups.count([row[key_index] for row in rows])
            else:
                groups.add((row[key_index], row[value_index]) for row in rows)
            yield {
                "kind": "chunk",
                "chunk": chunk,
                "chunk_rows": len(rows),
                "chunk_skipped_values": groups.skipped_values - before,
                "rows": table.rows,
                "groups": groups.size,
                "bytes": table.source.bytes_read,
                "total_bytes": table.source.total_bytes,
                "leading": groups.ranked(operation)[:PARTIAL_GROUPS],
            }
        ranked = groups.ranked(operation)
        yield {
            "kind": "result",
            "column": column,
            "operation": operation,
            "value_column": value_column,
            "rows": table.rows,
            "groups": len(ranked),
            "results": ranked[:limit],
            "skipped_values": groups.skipped_values,
            "malformed_rows": table.malformed_rows,
            "elapsed_ms": round((time.monotonic() - started) * 1000),
        }


class _Groups:
    def __init__(self):
        self._counts = Counter()
        self._stats = {}  # key -> [count, sum, compensation, min, max]
        self.skipped_values = 0

    @property
    def size(self):
        return len(self._stats or self._counts)

    def count(self, keys):
        for key, count in Counter(keys).items():
            self._counts[self._admitted(key, self._counts)] += count

    def add(self, pairs):
        stats = self._stats
        for key, text in pairs:
            number = _number(text)
            if number is None:
                self.skipped_values += 1
                continue
            key = self._admitted(key, stats)
            entry = stats.get(key)
            if entry is None:
                stats[key] = [1, number, 0.0, number, number]
            else:
                _accumulate(entry, number)

    def ranked(self, operation):
        """`[{key, value, count}]`, greatest value first, ties by key."""
        if operation == "count":
            counts = self._counts or {key: entry[0] for key, entry in self._stats.items()}
            rows = [(key, count, count) for key, count in counts.items()]
        else:
            rows = [(key, _value(entry, operation), entry[0]) for key, entry in self._stats.items()]
        rows.sort(key=lambda row: (-row[1], row[0]))
        return [{"key": key, "value": value, "count": count} for key, value, count in rows]

    def _admitted(self, key, known):
        return key if key in known or len(known) < MAX_GROUPS else REST


def _number(text):
    try:
        number = float(text)
    except ValueError:
        return None
    # float() also reads "1_000" and "nan"; the profiler's rules decide in the odd cases.
    if "_" in text or not math.isfinite(number) or is_null(text):
        return None
    return number if typed(text)[0] in (INTEGER, FLOAT) else None


def _accumulate(entry, number):
    """Neumaier's compensated sum, so that a billion small values do not vanish in a large sum."""
    total = entry[1]
    new_total = total + number
    if abs(total) >= abs(number):
        entry[2] += (total - new_total) + number
    else:
        entry[2] += (number - new_total) + total
    entry[0] += 1
    entry[1] = new_total
    if number < entry[3]:
        entry[3] = number
    if number > entry[4]:
        entry[4] = number


def _value(entry, operation):
    if operation == "min":
        return entry[3]
    if operation == "max":
        return entry[4]
    total = entry[1] + entry[2]
    return total if operation == "sum" else total / entry[0]


def _require_operation(operation, value_column):
    if operation not in OPERATIONS:
        raise ValueError("operation must be one of %s, got %r" % (", ".join(OPERATIONS), operation))
    if operation != "count" and value_column is None:
        raise ValueError("operation %s needs value_column, the column of numbers" % operation)


def _index_of(names, column):
    if column not in names:
        raise ValueError("no column %r; the columns are %s" % (column, ", ".join(names[:50])))
    return names.index(column)
