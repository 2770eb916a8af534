"""Every public function of this file is a command, and a generator is a stream.

Nothing has to be imported for that; `from snakepit_bridge import Context` gives a name to what a parameter `ctx` gets.
"""

import math


def summarize(amounts: list) -> dict:
    """Count, total and mean of a list of numbers."""
    if not amounts:
        raise ValueError("no amounts")
    total = math.fsum(amounts)
    return {"count": len(amounts), "total": total, "mean": total / len(amounts)}


def running_totals(amounts: list):
    """The total after each of the numbers."""
    total = 0
    for amount in amounts:
        total += amount
        yield total
