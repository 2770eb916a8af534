"""The command that groups a large CSV by a column."""

from typing import Optional

from snakepit_bridge import Context, command

from tabular.aggregation import DEFAULT_CHUNK_BYTES, aggregate


@command
def process_large_dataset(
    path: str,
    column: str,
    ctx: Context,
    operation: str = "count",
    value_column: Optional[str] = None,
    chunk_bytes: int = DEFAULT_CHUNK_BYTES,
    limit: int = 100,
):
    """Streams one partial item per chunk and ends with the groups.

    `operation` is count, or sum, mean, min or max of the numbers in `value_column`.
    """
    items = aggregate(path, column, operation, value_column, chunk_bytes, limit)
    try:
        for item in items:
            if ctx.cancelled:
                return
            yield item
    finally:
        items.close()
