"""Calls that run in a row: what is done once for all of them must not show in any of them."""

import unittest

from snakepit_bridge.v2 import frame as f

from .host import Host, write_module

MODULE = '''
    import logging, os, sys, time

    def do(what=None, value=None):
        """A short command, which now and then does something else; it tells whether it runs in a row."""
        if what is None:
            return os.path.basename(sys._getframe(1).f_code.co_filename) == "rows.py"
        if what == "nap":
            time.sleep(value)
        elif what == "raise":
            raise KeyError(value)
        elif what == "log":
            logging.getLogger("row").warning(value)
        elif what == "exit":
            sys.exit(value)
        return value

    def other():
        return "other"
'''

ROW = 32
FIRST = 1000


class CallsInARow(unittest.TestCase):
    codec = "json"

    def setUp(self):
        self.host = Host(self, write_module(self, MODULE), self.codec)
        self.prove()

    def prove(self):
        """Call the command until its calls run in rows, which takes some short ones first."""
        for _ in range(500):
            with self.host.one_write():
                for number in range(1, ROW + 1):
                    self.host.call(number, "do", [])
            if all([self.host.receive().body for _ in range(ROW)]):
                return
        self.fail("no row was run")

    def send_row(self, *odd_ones):
        """Send a row of calls whose first ones have these arguments."""
        with self.host.one_write():
            for index in range(ROW):
                self.host.call(FIRST + index, "do", odd_ones[index] if index < len(odd_ones) else [None])

    def receive_row(self, count=ROW):
        """The answers of the row by their index."""
        frames = [self.host.receive() for _ in range(count)]
        return {frame.id - FIRST: frame for frame in frames}

    def bodies(self, *odd_ones):
        self.send_row(*odd_ones)
        answers = self.receive_row()
        self.assertEqual(sorted(answers), list(range(ROW)))
        return [answers[index].body for index in range(ROW)]

    def test_each_gets_its_own_answer_whatever_form_its_arguments_have(self):
        values = [0, -1, 2**40, 1.5, True, None, "", "text\u20ac", [], {"a": [1, {"b": None}]}, [[1]]]
        rows = [["echo", value] if index % 2 else {"what": "echo", "value": value} for index, value in enumerate(values)]
        self.assertEqual(self.bodies(*rows)[: len(values)], values)

    def test_one_that_raises_answers_for_itself(self):
        self.send_row([None], ["raise", "x"], [None])
        answers = self.receive_row()
        self.assertEqual([answers[index].kind for index in (0, 1, 2, ROW - 1)], [f.RESULT, f.ERROR, f.RESULT, f.RESULT])
        self.assertEqual((answers[1].body["code"], answers[1].body["type"]), ("REMOTE_ERROR", "KeyError"))
        self.assertNotIn("rows.py", answers[1].body["traceback"])

    def test_arguments_that_do_not_fit_are_refused_for_their_call_alone(self):
        self.send_row([None], {"unknown": 1}, [1, 2, 3])
        answers = self.receive_row()
        self.assertEqual([answers[index].body["code"] for index in (1, 2)], ["INVALID_ARGUMENTS"] * 2)
        self.assertEqual([frame.kind for frame in answers.values()].count(f.RESULT), ROW - 2)

    def test_results_that_are_large_or_cannot_be_sent_are_answered_in_their_place(self):
        self.assertEqual(self.bodies([None], ["echo", "x" * 5000], [None])[1], "x" * 5000)
        self.prove()
        self.assertEqual(self.bodies([None], ["echo", b"bytes"], ["echo", 2**60])[1:3], [b"bytes", 2**60])

    def test_a_record_bears_the_id_of_the_call_that_made_it(self):
        self.send_row([None], [None], ["log", "hello"])
        frames = [self.host.receive() for _ in range(ROW + 1)]
        kinds = [(frame.kind, frame.id) for frame in frames]
        self.assertLess(kinds.index((f.LOG, FIRST + 2)), kinds.index((f.RESULT, FIRST + 2)))

    def test_a_call_of_another_kind_among_the_first_ends_no_rows_but_its_own(self):
        for _ in range(100):  # whenever the machine takes the worker off its CPU, rows end too
            with self.host.one_write():
                for index in range(ROW):
                    self.host.call(FIRST + index, "do", [], meta={"session": "s"} if index == 3 else None)
            self.receive_row()
            if any(self.bodies(*[[]] * ROW)):
                return
            self.prove()
        self.fail("no row was run after that")

    def test_answers_leave_soon_though_a_call_behind_them_takes_long(self):
        self.send_row([None], [None], ["nap", 5])
        self.host.socket.settimeout(2)
        self.assertEqual(sorted(self.receive_row(2)), [0, 1])

    def test_a_call_behind_one_that_takes_long_can_be_cancelled(self):
        self.send_row([None], ["nap", 0.5])
        for index in (2, ROW - 1):
            self.host.cancel(FIRST + index)
        answers = self.receive_row()
        self.assertEqual(len(answers), ROW)
        cancelled = {index: frame.body for index, frame in answers.items() if frame.kind == f.ERROR}
        for body in cancelled.values():
            self.assertEqual((body["code"], body["started"]), ("CANCELLED", False))
        self.assertEqual(sorted(cancelled), [2, ROW - 1])

    def test_a_row_that_took_long_says_so_once_and_the_next_calls_are_timed_one_by_one(self):
        self.send_row([None], ["nap", 0.02])
        times = self.service_times()
        self.assertEqual([time >= 20_000 for time in times].count(True), 1)
        self.send_row([None], ["nap", 0.02])
        self.assertEqual([time >= 20_000 for time in self.service_times()], [index == 1 for index in range(ROW)])

    def service_times(self):
        """Those of a row, by index."""
        answers = [self.host.receive_raw() for _ in range(ROW)]
        return [aux for _, _, aux, _, _ in sorted(answers, key=lambda answer: answer[3])]

    def test_a_row_ends_where_another_command_stands(self):
        with self.host.one_write():
            for index in range(ROW):
                self.host.call(FIRST + index, "other" if index == 20 else "do", [])
        answers = self.receive_row()
        self.assertEqual(answers[20].body, "other")
        self.assertEqual(len(answers), ROW)

    def test_answers_are_sent_though_a_command_ends_the_worker(self):
        self.send_row([None], [None], ["exit", 3])
        self.assertEqual(sorted(self.receive_row(2)), [0, 1])
        self.assertEqual(self.host.wait(), 3)

    def test_bodies_that_are_no_single_value_break_the_protocol(self):
        one = self.host.codec.encode(["echo", 1])[1]
        for bodies in ((one + one, b""), (one[:-1], one[-1:] + one), (one, one + b" 1")):
            with self.subTest(bodies=bodies):
                host = self.host = Host(self, write_module(self, MODULE), self.codec)
                self.prove()
                with host.one_write():
                    for index in range(ROW):
                        body = bodies[index] if index < len(bodies) else one
                        host.send(f.CALL, FIRST + index, 0, host.index["do"], body)
                self.assertEqual(host.wait(), 70)


class CallsInARowOfMessagePack(CallsInARow):
    codec = "msgpack"
