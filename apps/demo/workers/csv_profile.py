"""The command that profiles a CSV file of any size."""

from typing import Optional

from snakepit_bridge import Context, command

from tabular.profiler import DEFAULT_CHUNK_BYTES, profile


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
            yield item
    finally:
        items.close()  # closes the file at once when the consumer leaves
