import os
import random
import time
import unittest

import support
import basics
from programs.expression import ExpressionError, evaluate


class BasicsTest(unittest.TestCase):
    def test_main_exposes_every_command(self):
        import main

        for name in main.__all__:
            self.assertTrue(callable(getattr(main, name)), name)

    def test_ping_echo_and_info(self):
        self.assertTrue(basics.ping()["pong"])
        self.assertEqual(basics.echo({"a": [1, None]}), {"a": [1, None]})
        before = basics.info()["calls_served"]
        after = basics.info()
        self.assertEqual(after["calls_served"], before + 1)
        self.assertEqual(after["pid"], os.getpid())
        self.assertGreater(after["rss_bytes"], 1_000_000)

    def test_compute(self):
        for operation, expected in (("add", 8), ("subtract", 4), ("multiply", 12), ("divide", 3)):
            self.assertEqual(basics.compute(operation, 6, 2), expected)
        self.assertEqual(basics.compute("power", 2, 10), 1024)
        self.assertEqual(basics.compute("sqrt", 2.25), 1.5)
        self.assertEqual(basics.compute("multiply", 1 << 62, 4), 2.0**64)
        for arguments, message in (
            (("divide", 1, 0), "division by zero"),
            (("modulo", 1, 2), "operation must be one of"),
            (("sqrt", -1), "square root of a negative number"),
            (("power", 0, -1), "division by zero"),
            (("power", -8, 0.5), "no real power"),
            (("power", 10, 400), "no finite number"),
            (("multiply", 1e200, 1e200), "no finite number"),
            (("add", "1", 2), "a must be a number"),
        ):
            with self.assertRaisesRegex(ValueError, message):
                basics.compute(*arguments)

    def test_random_repeats_with_its_seed(self):
        self.assertEqual(
            basics.random(3, seed=1), [random.Random(1).random()] + basics.random(3, seed=1)[1:]
        )
        self.assertEqual(len(basics.random(5)), 5)
        with self.assertRaises(ValueError):
            basics.random(0)

    def test_ping_stream_keeps_its_interval_and_stops(self):
        ctx = support.FakeContext()
        started = time.monotonic()
        self.assertEqual(len(list(basics.ping_stream(ctx, count=4, interval_ms=30))), 4)
        self.assertGreaterEqual(time.monotonic() - started, 0.09)
        stream = basics.ping_stream(ctx, count=100, interval_ms=10)
        next(stream)
        ctx.cancelled = True
        self.assertEqual(list(stream), [])


class SessionTest(unittest.TestCase):
    def setUp(self):
        self.ctx = support.FakeContext(support.FakeSession())

    def test_counters_live_in_the_session(self):
        self.assertEqual(basics.counter("a", self.ctx)["value"], 1)
        self.assertEqual(basics.counter("a", self.ctx, by=4)["value"], 5)
        self.assertEqual(basics.counter("b", self.ctx)["value"], 1)

    def test_programs_are_stored_run_listed_and_deleted(self):
        basics.store_program("gross", "net * (1 + rate)", self.ctx)
        self.assertEqual(
            basics.run_program("gross", self.ctx, {"net": 100, "rate": 0.5})["value"], 150
        )
        self.assertEqual(basics.list_programs(self.ctx)["programs"], ["gross"])
        self.assertTrue(basics.delete_program("gross", self.ctx)["deleted"])
        self.assertFalse(basics.delete_program("gross", self.ctx)["deleted"])
        with self.assertRaisesRegex(ValueError, "no program 'gross'"):
            basics.run_program("gross", self.ctx)
        with self.assertRaises(ExpressionError):
            basics.store_program("bad", "__import__('os')", self.ctx)

    def test_large_integers_leave_as_text(self):
        basics.store_program("big", "2 ** 100", self.ctx)
        self.assertEqual(basics.run_program("big", self.ctx)["value"], str(2**100))

    def test_without_a_session_every_session_command_says_so(self):
        ctx = support.FakeContext()
        for call in (
            lambda: basics.counter("a", ctx),
            lambda: basics.store_program("a", "1", ctx),
            lambda: basics.run_program("a", ctx),
            lambda: basics.list_programs(ctx),
            lambda: basics.delete_program("a", ctx),
        ):
            with self.assertRaisesRegex(ValueError, "session"):
                call()


class ExpressionTest(unittest.TestCase):
    def test_allowed_expressions_mean_what_python_means(self):
        names = {"a": 7, "b": 2.5, "c": -3}
        for source in (
            "a + b * c", "a // 2 - a % 2", "2 ** 10", "-a ** 2", "a / b", "a < 8 <= 8 != 9",
            "min(a, b, c) + max(a, b)", "abs(c)", "round(b)", "round(a / 3, 2)",
            "a if b > 2 else c", "a > 1 and b < 1 or not c", "+a",
        ):  # fmt: skip
            with self.subTest(source=source):
                self.assertEqual(evaluate(source, names), eval(source, {}, dict(names)))

    def test_everything_else_is_refused(self):
        for source in (
            "a.b", "a[0]", "'text'", "f(1)", "(lambda: 1)()", "[1, 2]", "{1}", "__import__('os')",
            "a := 1", "1; 2", "x = 1", "min", "min(*a)", "min(1, key=abs)", "1 << 9", "1j", "None",
            "f'{a}'", "a @ b", "1 in a", "~1", "", "   ", "1 +", "(" * 300 + "1" + ")" * 300,
            "-" * 900 + "1", "+".join(["1"] * 400), "1\0",
        ):  # fmt: skip
            with self.subTest(source=source[:30]), self.assertRaises(ExpressionError):
                evaluate(source, {"a": 1, "b": 2})

    def test_what_cannot_be_computed_is_an_expression_error(self):
        for source, names in (
            ("1 / 0", {}), ("1 % 0", {}), ("0 ** -1", {}), ("10 ** 1001", {}), ("2 ** 999 ** 9", {}),
            ("9.0 ** 999", {}), ("(-8) ** 0.5", {}), ("(2 ** 1000) ** 1000", {}), ("x", {}),
            ("1" + "0" * 900 + " * 1.5", {}), ("round(1, 10000)", {}), ("min(1)", {}),
            ("x", {"x": "1"}), ("x * x", {"x": 2**4000}), ("round(x)", {"x": float("nan")}),
            ("abs(1, 2)", {}), ("round(x)", {"x": float("inf")}),
        ):  # fmt: skip
            with self.subTest(source=source[:30]), self.assertRaises(ExpressionError):
                evaluate(source, names)

    def test_random_expressions_agree_with_python(self):
        draw = random.Random(11)
        for _ in range(2000):
            source = self.random_expression(draw, 4)
            names = {"a": draw.randint(-5, 5), "b": draw.uniform(-5, 5)}
            try:
                expected = eval(source, {}, dict(names))
            except (ZeroDivisionError, OverflowError):
                with self.assertRaises(ExpressionError):
                    evaluate(source, names)
            else:
                self.assertEqual(evaluate(source, names), expected, source)

    def random_expression(self, draw, depth):
        if depth == 0 or draw.random() < 0.2:
            return draw.choice(["a", "b", str(draw.randint(0, 9)), "%.2f" % draw.uniform(0, 9)])
        left, right = (self.random_expression(draw, depth - 1) for _ in range(2))
        form = draw.choice(["(%s + %s)", "(%s - %s)", "(%s * %s)", "(%s / %s)", "(%s // %s)",
                            "(%s %% %s)", "min(%s, %s)", "max(%s, %s)", "(%s < %s)"])  # fmt: skip
        return form % (left, right)


if __name__ == "__main__":
    unittest.main()
