"""A worker with a heavy import, as most Python workers have."""

import numpy


def mean(values: list) -> float:
    return float(numpy.mean(values))
