import csv
import os
import random
import tempfile
import unittest
from collections import defaultdict

import support
from large_dataset import process_large_dataset


class AggregationTest(unittest.TestCase):
    AIRPORTS = os.path.join(support.DATA, "airports.csv")
    WEATHER = os.path.join(support.DATA, "seattle-weather.csv")

    def run_on(self, path, column, **options):
        return list(process_large_dataset(path, column, support.FakeContext(), **options))

    def test_counts_of_the_shipped_airports(self):
        items = self.run_on(self.AIRPORTS, "state", chunk_bytes=16384)
        with open(self.AIRPORTS, newline="", encoding="utf-8") as text:
            states = [row["state"] for row in csv.DictReader(text)]
        result = items[-1]
        self.assertEqual(result["rows"], len(states))
        for group in result["results"]:
            self.assertEqual(group["count"], states.count(group["key"]))
        chunks = items[:-1]
        self.assertGreater(len(chunks), 10)
        self.assertEqual(sum(chunk["chunk_rows"] for chunk in chunks), len(states))
        self.assertEqual(chunks[-1]["rows"], len(states))
        self.assertEqual(chunks[-1]["leading"], result["results"][:5])

    def test_operations_agree_with_the_plain_computation(self):
        groups = defaultdict(list)
        with open(self.WEATHER, newline="", encoding="utf-8") as text:
            for row in csv.DictReader(text):
                groups[row["weather"]].append(float(row["temp_max"]))
        for operation, plain in (
            ("sum", sum), ("min", min), ("max", max), ("mean", lambda v: sum(v) / len(v)),
        ):  # fmt: skip
            items = self.run_on(
                self.WEATHER,
                "weather",
                operation=operation,
                value_column="temp_max",
                chunk_bytes=8192,
            )
            results = items[-1]["results"]
            self.assertEqual(len(results), len(groups))
            for group in results:
                self.assertAlmostEqual(group["value"], plain(groups[group["key"]]))

    def test_fields_that_are_no_numbers_are_skipped_and_counted(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "t.csv")
            with open(path, "w") as out:
                out.write("k,v\na,1\na,x\na,\nb,nan\nb,1_0\nb,2\n")
            result = self.run_on(path, "k", operation="sum", value_column="v")[-1]
        self.assertEqual(result["skipped_values"], 4)
        self.assertEqual({g["key"]: g["value"] for g in result["results"]}, {"a": 1, "b": 2})

    def test_too_many_groups_are_gathered(self):
        draw = random.Random(1)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "t.csv")
            with open(path, "w") as out:
                out.write(
                    "k,v\n" + "".join("%d,1\n" % draw.randint(0, 10**9) for _ in range(12000))
                )
            result = self.run_on(path, "k")[-1]
        self.assertEqual(result["groups"], 10001)
        self.assertEqual(result["results"][0]["key"], "(other values)")

    def test_bad_arguments_are_clear_errors(self):
        for options, message in (
            ({"column": "nope"}, "no column 'nope'; the columns are iata, name"),
            ({"column": "state", "operation": "median"}, "operation must be one of"),
            ({"column": "state", "operation": "sum"}, "needs value_column"),
            ({"column": "state", "limit": 0}, "limit"),
        ):
            with self.subTest(message=message), self.assertRaisesRegex(ValueError, message):
                self.run_on(self.AIRPORTS, **options)


if __name__ == "__main__":
    unittest.main()
