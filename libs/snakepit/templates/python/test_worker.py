import unittest

import NAME


class SummarizeTest(unittest.TestCase):
    def test_adds_up_and_averages(self):
        self.assertEqual(NAME.summarize([1, 2, 6]), {"count": 3, "total": 9, "mean": 3})

    def test_refuses_no_amounts(self):
        with self.assertRaisesRegex(ValueError, "no amounts"):
            NAME.summarize([])


class RunningTotalsTest(unittest.TestCase):
    def test_yields_a_total_after_each_amount(self):
        self.assertEqual(list(NAME.running_totals([1, 2, 6])), [1, 3, 9])


if __name__ == "__main__":
    unittest.main()
