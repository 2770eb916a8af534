"""Count, mean and variance of a stream of numbers, merged batch by batch.

The pairwise update of Chan, Golub and LeVeque (1979), which is Welford's recurrence for batches:
no sum of squares of large numbers is ever formed, so nothing cancels.
"""

import math
from operator import mul


class Moments:
    def __init__(self):
        self.count = 0
        self.mean = 0.0
        self._m2 = 0.0

    def add_batch(self, numbers):
        if not numbers:
            return
        count = len(numbers)
        mean = _mean(numbers, count)
        deviations = [number - mean for number in numbers]
        self._merge(count, mean, sum(map(mul, deviations, deviations)))

    def add_weighted(self, numbers, weights):
        """Numbers of which each occurs `weight` times."""
        if not numbers:
            return
        count = sum(weights)
        mean = math.fsum(number / count * weight for number, weight in zip(numbers, weights))
        m2 = math.fsum(
            weight * (number - mean) * (number - mean) for number, weight in zip(numbers, weights)
        )
        self._merge(count, mean, m2)

    def _merge(self, count, mean, m2):
        total = self.count + count
        delta = mean - self.mean
        self._m2 += m2 + delta * delta * self.count * count / total
        self.mean += delta * count / total
        self.count = total

    @property
    def stddev(self):
        """Sample standard deviation; None below two numbers or when it exceeds a double."""
        if self.count < 2:
            return None
        variance = self._m2 / (self.count - 1)
        return math.sqrt(variance) if math.isfinite(variance) else None


def _mean(numbers, count):
    total = sum(numbers)
    if math.isfinite(total):
        return total / count
    return math.fsum(number / count for number in numbers)
