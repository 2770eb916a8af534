"""Guesses delimiter and header of a CSV file from its head."""

import csv
import io
from collections import Counter

from .value_kinds import EMPTY, STRING, kind_of

DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_ROWS = 100


def sample_rows(text, delimiter):
    rows = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            if row:
                rows.append(row)
            if len(rows) == _SAMPLE_ROWS:
                break
    except csv.Error:
        pass
    return rows


def detect_delimiter(text):
    """The candidate that cuts most rows into the same number (over one) of fields."""
    best, best_score = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        widths = Counter(map(len, sample_rows(text, delimiter)))
        if not widths:
            continue
        width, rows = widths.most_common(1)[0]
        score = (rows / sum(widths.values()), width)
        if width > 1 and score > best_score:
            best, best_score = delimiter, score
    return best


def detect_header(rows):
    """Whether the first row names the columns.

    Each column votes: a text above typed values speaks for a header, a typed value above values
    of the same kind against it. Without a majority, a first row free of typed values is a header.
    """
    first, rest = rows[0], rows[1:]
    votes = 0
    for index, name in enumerate(first):
        below = Counter(kind_of(row[index]) for row in rest if index < len(row))
        below.pop(EMPTY, None)
        if not below:
            continue
        common = below.most_common(1)[0][0]
        named = kind_of(name)
        if common != STRING and named == STRING:
            votes += 1
        elif common != STRING and named not in (STRING, EMPTY):
            votes -= 1
    if votes:
        return votes > 0
    return all(kind_of(name) in (STRING, EMPTY) for name in first) and any(first)


def column_names(first_row, has_header):
    """Unique names; an empty one becomes `column_3`, a repeated one `price_2`."""
    names, seen = [], set()
    for position, raw in enumerate(first_row, start=1):
        base = (raw.strip() if has_header else "") or "column_%d" % position
        name, copy = base, 2
        while name in seen:
            name, copy = "%s_%d" % (base, copy), copy + 1
        seen.add(name)
        names.append(name)
    return names
