import random
import unittest
from bisect import bisect_left, bisect_right
from collections import Counter

import support  # noqa: F401
from tabular.distinct_count import DistinctSketch
from tabular.heavy_hitters import CAPACITY, HeavyHitters
from tabular.quantiles import LEVEL_CAPACITY, RANK_ERROR_BOUND, QuantileSketch

FRACTIONS = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]


def batches(values, draw):
    start = 0
    while start < len(values):
        size = draw.randint(1, 5000)
        yield values[start : start + size]
        start += size


class QuantileSketchTest(unittest.TestCase):
    ORDERS = {
        "random": lambda values, draw: draw.shuffle(values),
        "ascending": lambda values, draw: values.sort(),
        "descending": lambda values, draw: values.sort(reverse=True),
        "periodic": lambda values, draw: values.sort(key=lambda value: (value * 7919) % 256),
    }

    def test_ranks_stay_within_the_bound_in_any_order(self):
        for seed, (name, order) in enumerate(self.ORDERS.items()):
            for count in (5000, 200_000, 800_000):
                with self.subTest(order=name, count=count):
                    draw = random.Random(seed)
                    values = [float(draw.randint(0, 10**6)) for _ in range(count)]
                    order(values, draw)
                    sketch = QuantileSketch(seed)
                    for batch in batches(values, draw):
                        sketch.add_batch(batch)
                    self.check(sketch, sorted(values))

    def check(self, sketch, ordered):
        for fraction, value in zip(FRACTIONS, sketch.quantiles(FRACTIONS)):
            low = bisect_left(ordered, value) / len(ordered)
            high = bisect_right(ordered, value) / len(ordered)
            self.assertLessEqual(low - RANK_ERROR_BOUND, fraction)
            self.assertGreaterEqual(high + RANK_ERROR_BOUND, fraction)
        self.assertEqual(sketch.quantile(0), ordered[0])
        self.assertEqual(sketch.quantile(1), ordered[-1])

    def test_few_values_are_exact(self):
        values = [float(v) for v in range(LEVEL_CAPACITY)]
        random.Random(1).shuffle(values)
        sketch = QuantileSketch()
        sketch.add_batch(values)
        self.assertTrue(sketch.is_exact)
        self.assertEqual(sketch.quantile(0.5), LEVEL_CAPACITY // 2 - 1)

    def test_nothing_has_no_quantile(self):
        self.assertEqual(QuantileSketch().quantiles([0.5]), [None])


class DistinctSketchTest(unittest.TestCase):
    def test_the_error_stays_within_four_standard_errors(self):
        for count in (4000, 20_000, 300_000):
            with self.subTest(count=count):
                sketch = DistinctSketch()
                for start in range(0, count, 1000):
                    batch = ["key-%d" % key for key in range(start, start + 1000)]
                    sketch.add_batch(batch)
                    sketch.add_batch(batch)
                allowed = 4 * sketch.relative_standard_error * count
                self.assertLessEqual(abs(sketch.estimate() - count), allowed)

    def test_few_values_are_exact(self):
        sketch = DistinctSketch()
        sketch.add_batch(["a", "b", "a"])
        self.assertEqual(sketch.estimate(), 2)


class HeavyHittersTest(unittest.TestCase):
    def test_counts_are_bounded_and_no_frequent_value_is_missed(self):
        draw = random.Random(4)
        values = ["v%d" % int(draw.paretovariate(0.7)) for _ in range(300_000)]
        hitters = HeavyHitters()
        for batch in batches(values, draw):
            hitters.add_batch(batch, 30)
        top = dict(hitters.top(CAPACITY))
        exact = Counter(values)
        self.assertGreater(hitters.error, 0)
        self.assertLessEqual(hitters.error, len(values) / (CAPACITY + 1))
        for value, count in top.items():
            self.assertLessEqual(exact[value], count)
            self.assertLessEqual(count, exact[value] + hitters.error)
        for value, count in exact.items():
            if count > 2 * hitters.error:
                self.assertIn(value, top)

    def test_values_that_are_all_different_have_no_top(self):
        hitters = HeavyHitters()
        for start in range(0, 50_000, 5000):
            hitters.add_batch([str(key) for key in range(start, start + 5000)], 5)
        self.assertEqual(hitters.top(10), [])

    def test_long_values_are_told_apart_but_not_kept_whole(self):
        hitters = HeavyHitters()
        hitters.add_batch(["x" * 5000 + "a", "x" * 5000 + "b", "x" * 5000 + "a"], 5001)
        (first, count), (second, _) = hitters.top(2)
        self.assertEqual(count, 2)
        self.assertNotEqual(first, second)
        self.assertLess(len(first), 200)


if __name__ == "__main__":
    unittest.main()
