"""Rows of a CSV file in batches that end with the chunk they were read from."""

import csv


class RowBatches:
    """Iterates lists of rows; counts records the csv module refuses.

    A refused record is mostly an unclosed quote: the reader gives up after
    `csv.field_size_limit()` characters (131,072) and resumes at the next line.
    """

    def __init__(self, source, delimiter):
        self._source = source
        self._reader = csv.reader(source.lines, delimiter=delimiter)
        self.refused_records = 0

    def __iter__(self):
        source, reader = self._source, self._reader
        while True:
            rows = []
            mark = source.chunks_read
            try:
                for row in reader:
                    rows.append(row)
                    if source.chunks_read != mark:
                        break
                else:
                    if rows:
                        yield rows
                    return
            except csv.Error:
                self.refused_records += 1
            if rows:
                yield rows


def rectangular(rows, width):
    """The non-blank rows cut or padded to `width`, and how many had to be."""
    widths = set(map(len, rows))
    if widths == {width}:
        return rows, 0
    rows = [row for row in rows if row]
    ragged = [index for index, row in enumerate(rows) if len(row) != width]
    for index in ragged:
        row = rows[index]
        rows[index] = row[:width] + [""] * (width - len(row))
    return rows, len(ragged)
