"""The most frequent values of a stream, in bounded memory, with a bound on the error.

Misra-Gries summaries in the mergeable form of Agarwal et al. (2012), which hold the same numbers
as Space-Saving: when there are too many counters, the (capacity + 1)-th largest count is taken
from each and those at zero go. A reported count is never too low and at most `error` too high,
and `error` <= n / (capacity + 1).
"""

from collections import Counter

CAPACITY = 1024
# Pruning costs a sort: it waits until there are so many times the counters.
_SLACK = 8
# Longer values are told apart by their hash, so that the summary stays small.
MAX_VALUE_CHARS = 200


class HeavyHitters:
    def __init__(self, capacity=CAPACITY):
        self._capacity = capacity
        self._counts = Counter()
        self.error = 0

    def add_batch(self, values, longest):
        if longest > MAX_VALUE_CHARS:
            values = list(map(abbreviate, values))
        self._counts.update(values)
        if len(self._counts) > _SLACK * self._capacity:
            self._prune()

    def add_counts(self, counts):
        for value, count in counts.items():
            self._counts[abbreviate(value)] += count
        if len(self._counts) > _SLACK * self._capacity:
            self._prune()

    def top(self, limit):
        """`[(value, count)]`, without values of which more than half the count may be error."""
        if len(self._counts) > self._capacity:
            self._prune()
        ranked = sorted(self._counts.items(), key=lambda pair: (-pair[1], pair[0]))
        return [
            (value, count + self.error) for value, count in ranked[:limit] if count > self.error
        ]

    def _prune(self):
        cut = sorted(self._counts.values(), reverse=True)[self._capacity]
        self.error += cut
        self._counts = Counter(
            {value: count - cut for value, count in self._counts.items() if count > cut}
        )


def abbreviate(value):
    if len(value) <= MAX_VALUE_CHARS:
        return value
    return "%s… (%d characters, #%08x)" % (value[:120], len(value), hash(value) & 0xFFFFFFFF)
