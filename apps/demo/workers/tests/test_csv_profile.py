import csv
import io
import os
import random
import statistics
import tempfile
import unittest
from collections import Counter

import support
from csv_profile import csv_profile
from tabular.quantiles import RANK_ERROR_BOUND
from tabular.value_kinds import typed


class CsvCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "table.csv")

    def profile(self, content, **options):
        if isinstance(content, str):
            content = content.encode("utf-8")
        with open(self.path, "wb") as out:
            out.write(content)
        return self.items(self.path, **options)[-1]

    def items(self, path, **options):
        return list(csv_profile(path, support.FakeContext(), **options))

    def column(self, content, **options):
        return self.profile(content, **options)["columns"][0]


class FormatTest(CsvCase):
    def test_quoted_delimiters_quotes_and_line_ends_stay_in_their_field(self):
        result = self.profile('name,note\nx,"a, ""b""\nc"\ny,plain\n')
        self.assertEqual(result["rows"], 2)
        self.assertEqual(result["malformed_rows"], 0)
        values = [entry["value"] for entry in result["columns"][1]["top"]]
        self.assertEqual(values, ['a, "b"\nc', "plain"])

    def test_a_quoted_field_may_span_chunks(self):
        text = "long line\r\n" * 2000
        result = self.profile('id,note\n1,"%s"\n2,short\n' % text, chunk_bytes=4096)
        self.assertEqual(result["rows"], 2)
        self.assertEqual(result["columns"][1]["max_length"], len(text))

    def test_bom_crlf_and_a_missing_last_line_end(self):
        result = self.profile(b"\xef\xbb\xbfid,price\r\n1,2.5\r\n2,3.5")
        self.assertEqual([c["name"] for c in result["columns"]], ["id", "price"])
        self.assertEqual((result["rows"], result["bom"]), (2, True))
        self.assertEqual(result["columns"][1]["mean"], 3.0)

    def test_utf_16_is_recognised_by_its_bom(self):
        result = self.profile("id,città\n1,Forlì\n2,Roma\n".encode("utf-16"))
        self.assertEqual(result["encoding"], "utf-16")
        self.assertEqual(result["columns"][1]["name"], "città")

    def test_lone_carriage_returns_end_lines_even_at_a_chunk_border(self):
        rows = "".join("%d,abc\r" % number for number in range(3000))
        result = self.profile("id,word\r" + rows, chunk_bytes=4096)
        self.assertEqual((result["rows"], result["malformed_rows"]), (3000, 0))

    def test_crlf_split_between_chunks_is_one_line_end(self):
        for pad in range(4080, 4100):
            result = self.profile("a,b\r\n1,%s\r\n2,x\r\n" % ("y" * pad), chunk_bytes=4096)
            self.assertEqual((result["rows"], result["malformed_rows"]), (2, 0), pad)

    def test_invalid_utf_8_and_nul_are_replaced_and_counted(self):
        result = self.profile(b"id,word\n1,caf\xe9\n2,a\0b\n3,fine\n")
        self.assertEqual(result["rows"], 3)
        self.assertEqual(result["invalid_characters"], 2)

    def test_ragged_rows_are_counted_and_kept(self):
        result = self.profile("a,b,c\n1,2,3\n1,2\n1,2,3,4\n\n4,5,6\n")
        self.assertEqual((result["rows"], result["malformed_rows"]), (4, 2))
        self.assertEqual([c["nulls"] for c in result["columns"]], [0, 0, 1])

    def test_an_unclosed_quote_costs_one_record_and_bounded_memory(self):
        lines = "".join("%d,word\n" % number for number in range(60000))
        result = self.profile('id,word\n1,"open\n' + lines)
        self.assertEqual(result["malformed_rows"], 1)
        self.assertGreater(result["rows"], 40000)

    def test_an_endless_line_is_dropped(self):
        result = self.profile("id,word\n" + "x" * (9 << 20) + "\n1,a\n2,b\n")
        self.assertEqual((result["rows"], result["malformed_rows"]), (2, 1))

    def test_delimiters_are_detected_and_can_be_given(self):
        for delimiter in ",;\t|":
            text = delimiter.join("ab") + "\n" + (delimiter.join("12") + "\n") * 3
            self.assertEqual(self.profile(text)["delimiter"], delimiter)
        self.assertEqual(len(self.profile("a,b;c\n1,2;3\n", delimiter=";")["columns"]), 2)

    def test_a_file_without_header_gets_numbered_columns(self):
        result = self.profile("1,x\n2,y\n3,z\n")
        self.assertEqual((result["header"], result["rows"]), (False, 3))
        self.assertEqual(result["columns"][0]["name"], "column_1")
        self.assertEqual(self.profile("a,b\nc,d\n", header=False)["rows"], 2)
        self.assertEqual(self.profile("1,2\n3,4\n", header=True)["rows"], 1)

    def test_names_are_made_unique(self):
        names = [c["name"] for c in self.profile(",a,a\n1,2,3\n")["columns"]]
        self.assertEqual(names, ["column_1", "a", "a_2"])

    def test_a_header_alone_is_a_table_without_rows(self):
        result = self.profile("a,b\n")
        self.assertEqual((result["rows"], result["columns"][0]["type"]), (0, "empty"))

    def test_what_cannot_be_read_is_a_clear_error(self):
        with self.assertRaisesRegex(ValueError, "empty"):
            self.profile("")
        with self.assertRaisesRegex(ValueError, "empty"):
            self.profile(b"\xef\xbb\xbf\n\n")
        with self.assertRaisesRegex(FileNotFoundError, "no such file"):
            self.items(self.path + ".missing")
        with self.assertRaisesRegex(ValueError, "not a regular file"):
            self.items(os.path.dirname(self.path))
        for options in ({"chunk_bytes": 1}, {"top": -1}, {"delimiter": ";;"}):
            with self.assertRaises(ValueError):
                self.profile("a\n1\n", **options)


class ProgressTest(CsvCase):
    def test_progress_comes_before_the_result_and_reaches_the_end(self):
        content = "id\n" + "".join("%d\n" % number for number in range(50000))
        self.profile(content)
        items = self.items(self.path, chunk_bytes=4096)
        self.assertEqual([item["kind"] for item in items[-2:]], ["progress", "result"])
        self.assertEqual(items[-2]["bytes"], len(content))
        self.assertEqual(items[-2]["total_bytes"], len(content))
        self.assertEqual(items[-2]["rows"], 50000)

    def test_a_cancelled_call_ends_without_result(self):
        self.profile("a\n1\n")
        ctx = support.FakeContext()
        ctx.cancelled = True
        self.assertEqual(list(csv_profile(self.path, ctx)), [])


class TypeTest(CsvCase):
    def type_of(self, *values):
        return self.column("name,x\n".replace("name,", "") + "".join(v + "\n" for v in values),
                           header=True, delimiter=",")["type"]  # fmt: skip

    def test_types(self):
        for expected, values in (
            ("integer", ["1", "-2", "+3", " 4", "NA"]),
            ("float", ["1", "2.5", "1e3", ".5", "-1."]),
            ("boolean", ["true", "False", "YES"]),
            ("date", ["2024-02-29", "1999/12/31"]),
            ("datetime", ["2024-02-29T10:00:00Z", "2024-01-01 10:00", "2024-01-01"]),
            ("string", ["a", "true", "1.2.3"]),
            ("string", ["2023-02-29"]),
            ("string", ["1_000"]),
            ("string", ["1e999"]),
            ("string", ["٣"]),
            ("mixed", ["1", "a"]),
            ("empty", ["NA", "null", " "]),
        ):
            with self.subTest(values=values):
                self.assertEqual(self.type_of(*values), expected)

    def test_dates_compare_as_dates(self):
        column = self.column("when\n2024/01/02\n2023-12-31\n2024-01-01\n")
        self.assertEqual((column["min"], column["max"]), ("2023-12-31", "2024/01/02"))

    def test_zones_are_compared_in_utc(self):
        column = self.column("t\n2024-01-01T12:00:00+05:00\n2024-01-01T08:00:00Z\n")
        self.assertEqual(column["min"], "2024-01-01T12:00:00+05:00")

    def test_integers_beyond_64_bits_leave_as_floats(self):
        column = self.column("n\n%d\n1\n" % 10**30)
        self.assertEqual(column["max"], 1e30)
        self.assertIsInstance(column["max"], float)


class ExactnessTest(CsvCase):
    """Against a plain computation over all values."""

    KINDS = {
        "integers": lambda r: str(r.randint(-(10**6), 10**6)),
        "big integers": lambda r: str(r.randint(10**17, 10**18)),
        "floats": lambda r: repr(r.gauss(1e6, 3)),
        "few": lambda r: str(r.randint(1, 30)),
        "skewed": lambda r: str(int(r.paretovariate(1))),
        "mixed": lambda r: r.choice([str(r.randint(1, 9999)), "word%d" % r.randint(1, 9999), ""]),
        "sparse": lambda r: r.choice(["", "NA", "%.3f" % r.random(), str(r.randint(0, 9))]),
        "dates": lambda r: (
            "%d-%02d-%02d" % (r.randint(1900, 2030), r.randint(1, 12), r.randint(1, 28))
        ),
        "times": lambda r: (
            "2024-01-%02d %02d:%02d:%02d"
            % (r.randint(1, 31), r.randint(0, 23), r.randint(0, 59), r.randint(0, 59))
        ),
        "texts": lambda r: 'say "%d", %s' % (r.randint(0, 50000), r.choice(["é\n", "", "x"])),
    }

    def test_every_figure_agrees_with_the_plain_computation(self):
        for seed, rows in ((1, 30), (2, 3000), (3, 40000)):
            draw = random.Random(seed)
            table = [[make(draw) for make in self.KINDS.values()] for _ in range(rows)]
            text = io.StringIO()
            csv.writer(text).writerows([list(self.KINDS)] + table)
            result = self.profile(text.getvalue(), chunk_bytes=65536)
            self.assertEqual((result["rows"], result["malformed_rows"]), (rows, 0))
            for column, values in zip(result["columns"], zip(*table)):
                with self.subTest(rows=rows, column=column["name"]):
                    self.check(column, values)

    def check(self, column, values):
        parsed = [(value,) + typed(value) for value in values]
        present = [entry for entry in parsed if entry[1] != "empty"]
        self.assertEqual(column["nulls"], len(values) - len(present))
        self.assertEqual(column["count"], len(present))
        kinds = Counter(kind for _, kind, _ in present)
        self.assertEqual(column["types"], dict(kinds))
        self.assertEqual(column["min_length"], min(len(v) for v, _, _ in present))
        self.assertEqual(column["max_length"], max(len(v) for v, _, _ in present))
        self.check_distinct_and_top(column, Counter(v for v, _, _ in present))
        numbers = [number for _, kind, number in present if kind in ("integer", "float")]
        if numbers:
            self.assertEqual((column["min"], column["max"]), (min(numbers), max(numbers)))
            self.check_numbers(column, sorted(map(float, numbers)))
        else:
            low = min(present, key=lambda entry: entry[2])[0]
            self.assertEqual(column["min"], low)

    def check_distinct_and_top(self, column, counts):
        if not column["distinct_is_estimate"]:
            self.assertEqual(column["distinct"], len(counts))
            self.assertEqual(column["top_error"], 0)
            exact = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:10]
            self.assertEqual([(t["value"], t["count"]) for t in column["top"]], exact)
            return
        # Four standard errors: the hash differs from run to run.
        bound = 4 * column["distinct_relative_error"] * len(counts)
        self.assertLessEqual(abs(column["distinct"] - len(counts)), bound)
        for entry in column["top"]:
            exact = counts[entry["value"]]
            self.assertLessEqual(exact, entry["count"])
            self.assertLessEqual(entry["count"], exact + column["top_error"])

    def check_numbers(self, column, ordered):
        self.assertAlmostEqual(column["mean"] / statistics.fmean(ordered), 1, places=9)
        if len(ordered) > 1:
            self.assertAlmostEqual(column["stddev"] / statistics.stdev(ordered), 1, places=6)
        for name, value in column["quantiles"].items():
            fraction = int(name[1:]) / 100
            allowed = column["quantile_rank_error"] * len(ordered)
            low = sum(1 for number in ordered if number < value)
            high = sum(1 for number in ordered if number <= value)
            self.assertLessEqual(low, fraction * len(ordered) + allowed)
            self.assertGreaterEqual(high, fraction * len(ordered) - allowed - 1e-6)
            self.assertIn(column["quantile_rank_error"], (0, RANK_ERROR_BOUND))

    def test_a_wide_table_has_smaller_summaries_and_says_how_good_they_are(self):
        draw = random.Random(6)
        table = [[str(draw.randint(0, 10**6)) for _ in range(300)] for _ in range(4000)]
        text = io.StringIO()
        csv.writer(text).writerows([["c%d" % i for i in range(300)]] + table)
        result = self.profile(text.getvalue())
        for column, values in zip(result["columns"], zip(*table)):
            self.assertGreater(column["quantile_rank_error"], RANK_ERROR_BOUND)
            self.assertLess(abs(column["distinct"] / len(set(values)) - 1),
                            5 * column["distinct_relative_error"])  # fmt: skip
            ordered = sorted(map(float, values))
            allowed = column["quantile_rank_error"] * len(ordered)
            median = column["quantiles"]["p50"]
            self.assertLessEqual(abs(ordered.index(median) - 2000), allowed)


class ShippedFilesTest(CsvCase):
    def test_airports(self):
        result = self.items(os.path.join(support.DATA, "airports.csv"))[-1]
        types = {c["name"]: c["type"] for c in result["columns"]}
        self.assertEqual(result["rows"], 3376)
        self.assertEqual(result["malformed_rows"], 0)
        self.assertEqual((types["latitude"], types["city"]), ("float", "string"))

    def test_weather(self):
        result = self.items(os.path.join(support.DATA, "seattle-weather.csv"))[-1]
        types = [c["type"] for c in result["columns"]]
        self.assertEqual(result["rows"], 1461)
        self.assertEqual(types, ["date"] + ["float"] * 4 + ["string"])


if __name__ == "__main__":
    unittest.main()
