"""Event loops, as far as they are there."""

import sys


def in_event_loop():
    """Tell whether an event loop runs this code."""
    # Where nobody has imported asyncio, no event loop runs.
    asyncio = sys.modules.get("asyncio")
    return asyncio is not None and asyncio._get_running_loop() is not None
