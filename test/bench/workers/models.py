"""A model as most are: what it takes is the call, not the items, of which it could take many more."""

import time

from snakepit_bridge import batch, command

_PASS_SECONDS = 0.001


@command
def predict(x: float) -> float:
    _forward_pass()
    return 2 * x


@command
@batch(max_size=64, max_wait_ms=5)
def predict_together(items: list) -> list:
    _forward_pass()
    return [2 * item["x"] for item in items]


def _forward_pass():
    """Holds the CPU for as long as it takes."""
    end = time.perf_counter() + _PASS_SECONDS
    while time.perf_counter() < end:
        pass
