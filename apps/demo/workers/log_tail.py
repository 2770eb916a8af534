"""The command that follows a log file."""

import os
from typing import Optional

from snakepit_bridge import Context, command

from loglines.tail import tail


@command
def tail_and_analyze(
    path: str,
    ctx: Context,
    from_start: bool = True,
    follow: bool = True,
    idle_seconds: Optional[float] = None,
):
    """Streams a classified item per line and a running summary; see loglines/.

    The host decides which folders may be read; this command reads what it is given.
    """
    if not isinstance(path, str) or not path:
        raise ValueError("path must be a non-empty string")
    if not os.path.exists(path):
        raise FileNotFoundError("no such file: %s" % path)
    if not os.path.isfile(path):
        raise ValueError("not a regular file: %s" % path)
    if idle_seconds is not None and (
        isinstance(idle_seconds, bool)
        or not isinstance(idle_seconds, (int, float))
        or not idle_seconds >= 0
    ):
        raise ValueError("idle_seconds must be a number of seconds from 0, got %r" % idle_seconds)
    items = tail(path, lambda: ctx.cancelled, from_start, follow, idle_seconds)
    try:
        yield from items
    finally:
        items.close()
