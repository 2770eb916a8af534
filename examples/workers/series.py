"""Numbers in bulk, and work that takes its time."""

import os
import time
from array import array

from snakepit_bridge import Context


def moving_average(series: memoryview, width: int) -> array:
    """The means of `width` neighbours; a Float64Array comes and goes without being turned into text."""
    means, total = array("d"), 0.0
    for at, value in enumerate(series):
        total += value - (series[at - width] if at >= width else 0.0)
        if at >= width - 1:
            means.append(total / width)
    return means


def count_primes(below: int, ctx: Context) -> int:
    """By trial division, so that it takes its time; says how far it is, and stops when nobody waits any more."""
    primes = []
    for number in range(2, below):
        if number % 1000 == 0:
            ctx.progress({"done": number, "total": below})
            ctx.raise_if_cancelled()
        if all(number % prime for prime in primes if prime * prime <= number):
            primes.append(number)
    return len(primes)


def wait(ms: float) -> int:
    time.sleep(ms / 1000)
    return os.getpid()
