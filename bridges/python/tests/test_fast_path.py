"""Uncommon calls of a command that is on the fast path, where the common ones have brought it."""

import struct
import unittest

from snakepit_bridge.codec import create_codec
from snakepit_bridge.v2 import frame as f

from . import require_msgpack
from .host import Host, write_module

MODULE = '''
    import time

    def echo(*values, **named):
        return named if named else values[0] if values else None

    def power(base, exponent):
        return base ** exponent

    def odd_result(kind):
        return {"set": {1}, "surrogate": chr(0xD800), "large": "x" * 3000, "fine": "fine"}[kind]

    def fails(how):
        if how == "value":
            raise ValueError("no")
        if how == "type":
            return "a" + 1
        return how

    def naps(seconds):
        time.sleep(seconds)
        return seconds
'''


class FastPath(unittest.TestCase):
    codec = "json"

    def setUp(self):
        self.host = Host(self, write_module(self, MODULE), self.codec)
        self.number = 0

    def next_number(self):
        self.number += 1
        return self.number

    def result(self, name, arguments=None, **options):
        return self.host.result(self.next_number(), name, arguments, **options)

    def error(self, name, arguments=None, **options):
        return self.host.error(self.next_number(), name, arguments, **options)

    def quicken(self, name, *arguments, **options):
        """Have a command run often enough to be known as a quick one, whatever else the machine does."""
        for _ in range(50):
            self.result(name, list(arguments), **options)

    def test_calls_with_meta_take_it_too_and_the_command_sees_none_of_it(self):
        unsampled = {"session": "s", "context": {"a": "b"}, "trace": {"traceparent": "00-%s-%s-00" % ("a" * 32, "b" * 16)}}
        for meta in (unsampled, {}):
            self.quicken("echo", 1, meta=meta)
            self.assertEqual(self.result("echo", {"a": 1}, meta=meta), {"a": 1})
            self.assertIsNone(self.result("echo", meta=meta))
            self.assertEqual(self.result("echo", "text", meta=meta), "text")
            self.assertEqual(self.error("power", {"base": 2}, meta=meta)["code"], "INVALID_ARGUMENTS")
            self.assertEqual(self.error("fails", ["value"], meta=meta)["type"], "ValueError")

    def test_sampled_calls_between_others_are_recorded(self):
        def meta(flags):
            return {"trace": {"traceparent": "00-%s-%s-%s" % ("a" * 32, "b" * 16, flags)}}

        self.quicken("power", 2, 3, meta=meta("00"))
        with self.host.one_write():
            for number in range(1000, 1100):
                self.host.call(number, "power", [2, number % 2], meta=meta("01" if number % 10 == 0 else "00"))
        results, spans = {}, 0
        while len(results) < 100:
            frame = self.host.receive()
            if frame.kind == f.EVENT:
                spans += [span["name"] for span in frame.body["data"]["spans"]] == ["snakepit power"]
                self.assertNotIn(frame.id, results)
            else:
                results[frame.id] = frame.body
        self.assertEqual(results, {number: 2 ** (number % 2) for number in range(1000, 1100)})
        self.assertEqual(spans, 10)
        self.host.call(2000, "fails", ["value"], meta=meta("01"))
        (span,) = self.host.receive_kind(f.EVENT).body["data"]["spans"]
        self.assertEqual(span["error"], "ValueError: no")

    def test_all_forms_of_arguments_reach_the_command(self):
        for options in ({}, {"deadline_ms": 60_000}):
            self.quicken("echo", 1, **options)
            for arguments, expected in (([2], 2), ({"a": 1}, {"a": 1}), ("text", "text"), (None, None), (7, 7), ([], None)):
                with self.subTest(arguments=arguments, **options):
                    self.assertEqual(self.result("echo", arguments, **options), expected)

    def test_an_empty_body_is_null(self):
        self.quicken("echo", 1)
        self.host.send(f.CALL, 1000, aux=self.host.index["echo"])
        self.assertIsNone(self.host.receive().body)
        self.host.send(f.CALL, 1001, f.FLAG_DEADLINE, self.host.index["echo"], struct.pack(">I", 1000))
        self.assertIsNone(self.host.receive().body)

    def test_arguments_that_need_a_closer_look_get_it(self):
        self.quicken("echo", 1)
        for value in (b"bytes", {"nested": {"data": b""}}, 2**53, 2**64 - 1, -(2**63), "\n\u20ac\U0001f600", [[1.5, -0.0], None, True]):
            with self.subTest(value=value):
                self.assertEqual(repr(self.result("echo", [value])), repr(value))

    def test_deep_arguments_are_refused(self):
        self.quicken("echo", 1)
        self.host.codec = create_codec(self.codec, 100)
        value = 1
        for _ in range(64):
            value = [value]
        self.assertEqual(self.result("echo", value), value[0])
        self.assertEqual(self.error("echo", [value])["code"], "INVALID_ARGUMENTS")

    def test_arguments_that_do_not_fit_are_told_from_an_error_of_the_command(self):
        self.quicken("fails", "no")
        self.assertEqual(self.error("fails", {"who": 1})["code"], "INVALID_ARGUMENTS")
        self.assertEqual(self.error("fails", [1, 2])["code"], "INVALID_ARGUMENTS")
        for how, kind in (("type", "TypeError"), ("value", "ValueError")):
            error = self.error("fails", [how])
            self.assertEqual((error["code"], error["type"]), ("REMOTE_ERROR", kind))
            self.assertNotIn("fast_path", error["traceback"])

    def test_large_integers_keep_their_digits_and_larger_ones_are_refused(self):
        self.quicken("power", 2, 3)
        for exponent in (31, 32, 53, 62, 63):
            self.assertEqual(self.result("power", [2, exponent]), 2**exponent)
        self.assertEqual(self.error("power", [2, 64])["code"], "INVALID_RESULT")

    def test_results_that_cannot_be_sent_are_refused(self):
        self.quicken("odd_result", "fine")
        self.assertEqual(self.error("odd_result", ["set"])["code"], "INVALID_RESULT")
        self.assertEqual(self.error("odd_result", ["surrogate"])["code"], "INVALID_RESULT")

    def test_a_large_result_is_sent_whole(self):
        self.quicken("odd_result", "fine")
        self.assertEqual(self.result("odd_result", ["large"]), "x" * 3000)

    def test_the_service_time_is_that_of_each_call(self):
        self.quicken("naps", 0)
        times = []
        for seconds in (0.02, 0, 0.1):
            self.host.call(self.next_number(), "naps", [seconds])
            times.append(self.host.receive_raw()[2])
        self.assertGreaterEqual(times[0], 20_000)
        self.assertLess(times[1], 20_000)
        self.assertEqual(times[2], 65_535)

    def test_a_result_leaves_before_a_command_that_was_slow_last_time(self):
        self.quicken("echo", 1)
        self.result("naps", [0.01])
        with self.host.one_write():
            self.host.call(1000, "echo", ["first"])
            self.host.call(1001, "naps", [5])
        self.assertEqual(self.host.receive().body, "first")

    def test_a_result_leaves_soon_though_a_quick_command_behind_it_turns_slow(self):
        self.quicken("echo", 1)
        self.quicken("naps", 0)
        with self.host.one_write():
            self.host.call(1000, "echo", ["first"])
            self.host.call(1001, "naps", [5])
        self.host.socket.settimeout(2)
        self.assertEqual(self.host.receive().body, "first")

    def test_a_call_that_waits_behind_a_quick_command_turned_slow_can_be_cancelled(self):
        self.quicken("naps", 0)
        with self.host.one_write():
            self.host.call(1000, "naps", [0.5])
            self.host.call(1001, "naps", [0.5])
        self.host.cancel(1001)
        error = self.host.receive()
        self.assertEqual((error.id, error.body["code"], error.body["started"]), (1001, "CANCELLED", False))
        self.assertEqual(self.host.receive().id, 1000)

    def test_protocol_errors_are_still_seen(self):
        self.quicken("echo", 1)
        self.check_protocol_error(f.pack_frame(f.CALL, 1000, aux=self.host.index["echo"], body=self.malformed))

    def test_a_call_with_the_id_0_is_still_refused(self):
        self.quicken("echo", 1)
        self.check_protocol_error(f.pack_frame(f.CALL, 0, aux=self.host.index["echo"]))

    def test_a_deadline_that_is_cut_off_is_refused(self):
        self.quicken("echo", 1)
        self.check_protocol_error(f.pack_frame(f.CALL, 1000, f.FLAG_DEADLINE, self.host.index["echo"], b"\0\0\0"))

    malformed = b'{"a":1} {"b":2}'

    def check_protocol_error(self, frame):
        self.host.socket.sendall(frame)
        self.assertEqual(self.host.wait(), 70)


class FastPathOfMessagePack(FastPath):
    codec = "msgpack"
    malformed = bytes.fromhex("81a16181c4006162")  # {"a": {b"": "b"}}: a key that is not a string

    @classmethod
    def setUpClass(cls):
        require_msgpack()
