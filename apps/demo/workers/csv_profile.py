"""The command that profiles a CSV file of any size."""

import logging
from typing import Optional

from snakepit_bridge import Context, command

from tabular.profiler import DEFAULT_CHUNK_BYTES, profile

_log = logging.getLogger("demo.csv")


@command
def csv_profile(
    path: str,
    ctx: Context,
    chunk_bytes: int = DEFAULT_CHUNK_BYTES,
    top: int = 10,
    delimiter: Optional[str] = None,
    header: Optional[bool] = None,
):
    """Streams progress (at most ten items a second) and ends with statistics of each column."""
    items = profile(path, chunk_bytes, top, delimiter, header)
    try:
        for item in items:
            if ctx.cancelled:
                return
            if item["kind"] == "result":
                _note(item, ctx)
            yield item
    finally:
        items.close()  # closes the file at once when the consumer leaves


def _note(result, ctx):
    """Tells the log and the metrics what was done."""
    rows, columns = result["rows"], len(result["columns"])
    ctx.metrics.count("csv_rows", rows, command="csv_profile")
    ctx.metrics.observe("csv_file_rows", rows)
    _log.info("profiled %d rows", rows, extra={"rows": rows, "columns": columns})
