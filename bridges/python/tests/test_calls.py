"""Calls of synchronous and asynchronous commands over protocol v2."""

import unittest

from snakepit_bridge.v2 import frame as f

from . import require_msgpack
from .host import Host, write_module

MODULE = '''
    import asyncio, dataclasses, datetime, decimal, enum, socket, sys, time, uuid
    from snakepit_bridge import Context, command

    @command
    def add(a: float, b: float = 1) -> float:
        """Add two numbers.

        More."""
        return a + b

    @command(name="renamed")
    def original(*values, **named):
        return [list(values), named]

    @command
    def where(first, ctx: Context, last=0):
        return [first, last, ctx.command, ctx.call_id]

    @command
    def facts(ctx):
        left = ctx.deadline_seconds
        return {"left": left, "trace": ctx.trace, "context": ctx.context, "session": ctx.session and ctx.session.id}

    @command
    def fail(month):
        error = ValueError("month must be in 1..12")
        error.data = {"month": month}
        raise error

    @command
    def type_error():
        return "a" + 1

    class Custom:
        def to_dict(self):
            return {"x": {1, 2}}

    class Color(enum.Enum):
        RED = "red"

    @dataclasses.dataclass
    class Point:
        x: int
        y: Color

    @command
    def graceful():
        zone = datetime.timezone(datetime.timedelta(hours=2))
        return {
            "point": Point(1, Color.RED), "tuple": (1, 2), "uuid": uuid.UUID(int=5), "money": decimal.Decimal("1.10"),
            "date": datetime.date(2026, 1, 31), "naive": datetime.datetime(2026, 1, 31, 12),
            "aware": datetime.datetime(2026, 1, 31, 14, 0, 0, 5000, zone), "bytes": bytearray(b"ab"), 3: None,
        }

    @command
    def unencodable(kind):
        loop = []
        loop.append(loop)
        deep = []
        for _ in range(70):
            deep = [deep]
        values = {
            "socket": {"items": [1, 2, socket.socket()]}, "set": {"x": {1}}, "object": Custom(), "cycle": loop,
            "deep": deep, "integer": [2 ** 64], "surrogate": {"s": chr(0xD800)}, "key": {(1, 2): 3},
        }
        return values[kind]

    @command
    def big(size):
        return "x" * size

    @command
    def length(data):
        return len(data)

    @command
    def leave(status):
        sys.exit(status)

    @command
    async def hello_later(name, ctx):
        ctx.log.info("waiting", name=name)
        await asyncio.sleep(0.001)
        return "hello " + name

    @command
    async def forever(ctx):
        ctx.progress("begun")
        try:
            await asyncio.Event().wait()
        finally:
            ctx.emit("cleaned", None)

    @command
    async def leave_later(status):
        sys.exit(status)

    def not_a_command():
        pass
'''


class Calls(unittest.TestCase):
    codec = "json"

    def setUp(self):
        self.host = Host(self, write_module(self, MODULE), self.codec)

    def test_the_hello_lists_the_marked_functions(self):
        commands = {each["name"]: each for each in self.host.hello["commands"]}
        self.assertEqual((commands["add"]["kind"], commands["add"]["doc"]), ("call", "Add two numbers."))
        self.assertIn("renamed", commands)
        self.assertNotIn("not_a_command", commands)
        self.assertEqual(self.host.hello["codec"], self.codec)
        self.assertEqual(self.host.hello["pid"], self.host.process.pid)

    def test_maps_lists_null_and_single_values_become_arguments(self):
        host = self.host
        self.assertEqual(host.result(1, "add", {"a": 1, "b": 2.5}), 3.5)
        self.assertEqual(host.result(2, "add", [1, 2]), 3)
        self.assertEqual(host.result(3, "add", 41), 42)
        self.assertEqual(host.result(4, "renamed", None), [[], {}])
        self.assertEqual(host.result(5, "renamed", {"x": 1}), [[], {"x": 1}])
        self.assertEqual(host.result(6, "renamed", ["x"], deadline_ms=1000), [["x"], {}])

    def test_the_context_is_passed_wherever_its_parameter_stands(self):
        self.assertEqual(self.host.result(1, "where", [7]), [7, 0, "where", 1])
        self.assertEqual(self.host.result(2, "where", [7, 8]), [7, 8, "where", 2])
        self.assertEqual(self.host.result(3, "where", {"last": 8, "first": 7}), [7, 8, "where", 3])
        self.assertEqual(self.host.error(4, "where", {"first": 7, "ctx": 1})["code"], "INVALID_ARGUMENTS")

    def test_the_context_knows_deadline_trace_context_and_session(self):
        meta = {"trace": {"traceparent": "00-1-2-01"}, "context": {"user": "u"}, "session": "s1", "unknown": 1}
        facts = self.host.result(1, "facts", None, meta=meta, deadline_ms=60000)
        self.assertTrue(50 < facts.pop("left") <= 60)
        self.assertEqual(facts, {"trace": {"traceparent": "00-1-2-01"}, "context": {"user": "u"}, "session": "s1"})
        self.assertEqual(self.host.result(2, "facts"), {"left": None, "trace": {}, "context": {}, "session": None})

    def test_arguments_that_do_not_fit_are_told_from_a_type_error_within(self):
        for arguments in ({}, {"c": 1}, [1, 2, 3], {"a": 1, "c": 2}):
            self.assertEqual(self.host.error(1, "add", arguments)["code"], "INVALID_ARGUMENTS")
        error = self.host.error(2, "type_error")
        self.assertEqual((error["code"], error["type"]), ("REMOTE_ERROR", "TypeError"))
        self.assertEqual(self.host.error(3, "hello_later", [])["code"], "INVALID_ARGUMENTS")

    def test_unknown_commands_are_refused_by_index_and_by_name(self):
        self.host.send(f.CALL, 1, aux=999)
        self.assertEqual(self.host.receive().body["code"], "UNKNOWN_COMMAND")
        self.assertEqual(self.host.error(2, "missing", None, meta={"command": "missing"})["code"], "UNKNOWN_COMMAND")
        self.host.index.pop("add")
        self.assertEqual(self.host.result(3, "add", [1], meta={"command": "add"}), 2)

    def test_an_exception_carries_type_message_traceback_and_data(self):
        error = self.host.error(1, "fail", [13])
        self.assertEqual((error["code"], error["type"], error["data"]), ("REMOTE_ERROR", "ValueError", {"month": 13}))
        self.assertEqual(error["message"], "month must be in 1..12")
        self.assertIn("in fail", error["traceback"])
        self.assertNotIn("snakepit_bridge", error["traceback"])

    def test_common_objects_are_converted(self):
        result = self.host.result(1, "graceful")
        aware = result.pop("aware")
        self.assertEqual(aware.isoformat(), "2026-01-31T12:00:00.005000+00:00")
        self.assertEqual(
            result,
            {
                "point": {"x": 1, "y": "red"}, "tuple": [1, 2], "uuid": "00000000-0000-0000-0000-000000000005",
                "money": "1.10", "date": "2026-01-31", "naive": "2026-01-31T12:00:00", "bytes": b"ab", "3": None,
            },
        )

    def test_an_unencodable_result_names_path_type_and_remedy(self):
        expected = {
            "socket": "result.items[2]: socket.socket; convert it to",
            "set": "result.x: set; convert it to a list",
            "object": "result.x: set; convert it to a list",
            "cycle": "result[0]: the value contains itself",
            "deep": "nested too deeply",
            "integer": "result[0]: the integer does not fit 64 bits",
            "surrogate": "result.s: the string holds a lone surrogate",
            "key": "a key is tuple; make it a string",
        }
        for number, (kind, message) in enumerate(expected.items(), 1):
            with self.subTest(kind=kind):
                error = self.host.error(number, "unencodable", [kind])
                self.assertEqual(error["code"], "INVALID_RESULT")
                self.assertIn(message, error["message"])

    def test_large_bodies_pass_and_too_large_results_are_refused(self):
        self.assertEqual(self.host.result(1, "length", ["x" * 900_000], deadline_ms=5000), 900_000)
        self.assertEqual(len(self.host.result(2, "big", [900_000])), 900_000)
        self.assertEqual(self.host.error(3, "big", [2_000_000])["code"], "FRAME_TOO_LARGE")
        self.assertEqual(self.host.result(4, "add", [1]), 2)

    def test_arguments_nested_too_deeply_are_refused(self):
        deep = b"[" * 65 + b"]" * 65 if self.codec == "json" else b"\x91" * 64 + b"\x90"
        for count, code in ((65, "INVALID_ARGUMENTS"), (64, None)):
            body = deep if count == 65 else (deep[1:-1] if self.codec == "json" else deep[1:])
            self.host.send(f.CALL, 1, aux=self.host.index["length"], body=body)
            frame = self.host.receive()
            self.assertEqual(frame.body["code"] if frame.kind == f.ERROR else None, "INVALID_ARGUMENTS" if code else None)

    def test_asynchronous_commands_run_side_by_side_and_log(self):
        self.host.call(1, "forever")
        self.host.receive_kind(f.PROGRESS, 1)
        self.host.call(2, "hello_later", ["you"])
        log = self.host.receive()
        expected = {"level": "info", "message": "waiting", "logger": "hello_later", "fields": {"name": "you"}}
        self.assertEqual((log.kind, log.id, log.body), (f.LOG, 2, expected))
        self.assertEqual(self.host.receive_kind(f.RESULT).body, "hello you")
        self.host.cancel(1)
        self.assertEqual(self.host.receive_kind(f.EVENT, 1).body, {"name": "cleaned", "data": None})
        error = self.host.receive_kind(f.ERROR, 1).body
        self.assertEqual((error["code"], error["started"]), ("CANCELLED", True))

    def test_system_exit_ends_the_worker_with_its_status(self):
        self.host.call(1, "leave", [3])
        self.assertEqual(self.host.wait(), 3)

    def test_system_exit_of_an_asynchronous_command_ends_the_worker_too(self):
        self.host.call(1, "leave_later", [4])
        self.assertEqual(self.host.wait(), 4)

    def test_a_call_of_kind_call_may_be_taken_as_a_stream(self):
        self.host.call(1, "add", [1], stream=True)
        self.assertEqual([(frame.kind, frame.body) for frame in (self.host.receive(), self.host.receive())],
                         [(f.CHUNK, 2), (f.END, None)])
        self.host.call(2, "hello_later", ["x"], stream=True)
        self.assertEqual(self.host.receive_kind(f.CHUNK, 2).body, "hello x")
        self.assertEqual(self.host.receive().kind, f.END)

    def test_many_calls_at_once_are_all_answered(self):
        for number in range(1, 2001):
            self.host.call(number, "add", [number, 1])
        answers = [self.host.receive() for _ in range(2000)]
        self.assertEqual([(frame.id, frame.body) for frame in answers], [(n, n + 1) for n in range(1, 2001)])


class MessagePackCalls(Calls):
    codec = "msgpack"

    def setUp(self):
        require_msgpack()
        super().setUp()


class Hello(unittest.TestCase):
    def test_json_is_chosen_where_the_host_prefers_it(self):
        host = Host(self, write_module(self, "def x(): return 1"), says_hello=False)
        host.say_hello(codecs=["unheard-of", "json", "msgpack"])
        self.assertEqual(host.read_hello()["codec"], "json")

    def test_no_codec_in_common_is_a_failed_start(self):
        host = Host(self, write_module(self, "def x(): return 1"), says_hello=False)
        host.say_hello(codecs=["unheard-of"])
        self.assertIn("no codec in common", host.read_hello()["error"]["message"])
        self.assertEqual(host.wait(), 1)


if __name__ == "__main__":
    unittest.main()
