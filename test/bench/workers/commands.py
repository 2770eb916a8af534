"""The commands that the bench calls."""

import time


def add(a: int, b: int) -> int:
    return a + b


def slow(seconds: float) -> None:
    time.sleep(seconds)


def count_up(limit: int):
    yield from range(limit)
