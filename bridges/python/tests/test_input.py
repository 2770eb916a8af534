"""What a caller sends while its command runs."""

import unittest

from snakepit_bridge.context import Context
from snakepit_bridge.errors import SnakepitError
from snakepit_bridge.v1.runtime import V1Runtime
from snakepit_bridge.v2 import frame as f

from .host import Host, write_module

MODULE = '''
    from snakepit_bridge import command

    @command
    def sizes(ctx):
        found = []
        for chunk in ctx.input.chunks():
            found.append(len(chunk))
            ctx.progress(len(chunk))
        return found

    @command
    async def asizes(ctx):
        found = []
        async for chunk in ctx.input:
            found.append(len(chunk))
            ctx.progress(len(chunk))
        return found

    @command
    def first(count, ctx):
        return ctx.input.read(count)

    @command
    async def amixed(ctx):
        return [await ctx.input.aread(2), ctx.input.readline(), await ctx.input.aread()]

    @command
    def caught(ctx):
        try:
            ctx.input.read()
        except Exception as error:
            return [type(error).__name__, error.code, str(error)]

    @command
    def shut(ctx):
        with ctx.input as file:
            facts = [file.readable(), file.seekable(), file.writable()]
        try:
            file.read()
        except ValueError as error:
            return facts + [str(error)]

    @command
    def add(a, b, c=0):
        return a + b + c
'''


class Input(unittest.TestCase):
    def setUp(self):
        self.host = Host(self, write_module(self, MODULE))

    def question(self, call=1):
        frame = self.host.receive_kind(f.HOST_CALL)
        expected = {"method": "input.read", "args": {"maxBytes": 262144}, "call": call}
        self.assertEqual(frame.body, expected)
        return frame

    def test_asks_for_the_next_chunk_before_it_hands_out_one(self):
        self.host.call(1, "sizes")
        self.host.answer(self.question(), b"abc")
        following = self.host.receive()
        self.assertEqual((following.kind, following.body["method"]), (f.HOST_CALL, "input.read"))
        progress = self.host.receive()
        self.assertEqual((progress.kind, progress.body), (f.PROGRESS, 3))
        self.host.answer(following, b"de")
        self.host.answer(self.question(), None)
        self.assertEqual(self.host.receive_kind(f.RESULT).body, [3, 2])

    def test_asks_in_asynchronous_commands_when_it_is_read(self):
        self.host.call(1, "asizes")
        self.host.answer(self.question(), b"abc")
        progress = self.host.receive()
        self.assertEqual((progress.kind, progress.body), (f.PROGRESS, 3))
        self.host.answer(self.question(), None)
        self.assertEqual(self.host.receive_kind(f.RESULT).body, [3])

    def test_can_be_read_both_ways_in_turn(self):
        self.host.call(1, "amixed")
        self.host.answer(self.question(), b"abc")
        self.host.answer(self.question(), b"d\nef")
        self.host.answer(self.question(), b"g")
        self.host.answer(self.question(), None)
        self.assertEqual(self.host.receive_kind(f.RESULT).body, [b"ab", b"cd\n", b"efg"])

    def test_an_answer_that_comes_after_the_call_disturbs_nobody(self):
        self.host.call(1, "first", {"count": 2})
        self.host.answer(self.question(), b"abc")
        ahead = self.question()
        self.assertEqual(self.host.receive_kind(f.RESULT).body, b"ab")
        self.host.refuse(ahead, "CANCELLED", "the call whose input it reads is over")
        self.assertEqual(self.host.result(2, "add", [1, 2]), 3)

    def test_a_refusal_of_the_host_is_raised_by_the_read(self):
        self.host.call(1, "caught")
        self.host.refuse(self.question(), "INPUT_FAILED", "the disk is on fire")
        self.assertEqual(self.host.receive_kind(f.RESULT).body, ["HostError", "INPUT_FAILED", "the disk is on fire"])

    def test_is_a_file_that_can_be_closed(self):
        facts = self.host.result(1, "shut")
        self.assertEqual(facts, [True, False, False, "I/O operation on a closed input"])

    def test_is_not_there_over_v1(self):
        with self.assertRaisesRegex(SnakepitError, "needs protocol v2"):
            Context(V1Runtime(), "add", 0).input.read()


class Misfits(unittest.TestCase):
    def setUp(self):
        self.host = Host(self, write_module(self, MODULE))

    def test_say_which_argument_it_is(self):
        cases = (
            ({"a": 1}, "args.b"),
            ({"a": 1, "b": 2, "d": 3}, "args.d"),
            ([1, 2, 3, 4], None),
        )
        for number, (arguments, path) in enumerate(cases, 1):
            error = self.host.error(number, "add", arguments)
            self.assertEqual(error["code"], "INVALID_ARGUMENTS")
            self.assertEqual((error.get("data") or {}).get("path"), path, arguments)


if __name__ == "__main__":
    unittest.main()
