"""Tools of the host, as commands call them."""

import unittest

from snakepit_bridge.v2 import frame as f

from .host import Host, write_module

MODULE = '''
    import asyncio
    from contextvars import ContextVar
    from snakepit_bridge import Cancelled, ToolError, command

    number = ContextVar("number")

    @command
    def price(ctx):
        return ctx.tools.price_of(sku="x")

    @command
    async def aprice(ctx):
        return await ctx.tools.price_of(sku="x")

    @command
    async def aprices(ctx):
        return await asyncio.gather(*(ctx.tools.price_of(n) for n in range(3)))

    @command
    async def impatient(ctx):
        try:
            await asyncio.wait_for(ctx.tools.price_of(sku="x"), 0.01)
        except asyncio.TimeoutError:
            return [await ctx.tools.price_of(sku="y"), await ctx.tools.price_of(sku="z")]

    @command
    async def own_values(ctx):
        async def lane(n):
            number.set(n)
            await ctx.tools.price_of(n)
            return number.get()

        return await asyncio.gather(*(lane(n) for n in range(3)))

    @command
    async def swallowed(ctx):
        try:
            await ctx.tools.price_of(sku="x")
        except asyncio.CancelledError:
            return await ctx.tools.price_of(sku="y")

    @command
    async def acaught(ctx):
        async def price():
            try:
                return await ctx.tools.price_of(sku="x")
            except ToolError as error:
                return error.message

        return await asyncio.gather(asyncio.create_task(ctx.tools.call("price.of", 1)), price())

    @command
    async def in_a_thread(ctx):
        return await asyncio.to_thread(lambda: ctx.tools.price_of(sku="x")) if hasattr(asyncio, "to_thread") else 5

    @command
    def named(ctx):
        return [ctx.tools.call("price.of", [1]), ctx.tools.now()]

    @command
    def several(ctx):
        ctx.tools.price_of(1, 2)

    @command
    def mixed(ctx):
        ctx.tools.price_of(1, sku="x")

    @command
    def nonsense(ctx):
        ctx.tools.price_of(print)

    @command
    def caught(ctx):
        try:
            ctx.tools.price_of(sku="x")
        except ToolError as error:
            return [error.tool, error.code, error.type, error.message, error.data, str(error)]

    @command
    def caught_cancel(ctx):
        try:
            ctx.tools.price_of(sku="x")
        except Cancelled as error:
            return str(error)

    @command
    def no_dunders(ctx):
        return [hasattr(ctx.tools, "__len__"), hasattr(ctx.tools, "price")]
'''


class Tools(unittest.TestCase):
    def setUp(self):
        self.host = Host(self, write_module(self, MODULE))

    def expect(self, args, call=1):
        frame = self.host.receive_kind(f.HOST_CALL)
        self.assertEqual(frame.body, {"method": "tool.call", "args": args, "call": call})
        return frame

    def fail(self, frame, **described):
        flags, body = self.host.codec.encode(described)
        self.host.send(f.HOST_ERROR, frame.id, flags, body=body)

    def test_named_arguments_are_a_map_and_the_command_waits(self):
        self.host.call(1, "price")
        self.host.answer(self.expect({"name": "price_of", "args": {"sku": "x"}}), {"price": 5})
        self.assertEqual(self.host.receive().body, {"price": 5})

    def test_an_asynchronous_command_awaits_and_says_that_it_blocks_nothing(self):
        self.host.call(1, "aprice")
        self.host.answer(self.expect({"name": "price_of", "args": {"sku": "x"}, "concurrent": True}), 5)
        self.assertEqual(self.host.receive().body, 5)

    def test_an_asynchronous_command_waits_for_many_at_once(self):
        self.host.call(1, "aprices")
        frames = [self.host.receive_kind(f.HOST_CALL) for _ in range(3)]
        for frame in reversed(frames):
            self.host.answer(frame, frame.body["args"]["args"] * 10)
        self.assertEqual(self.host.receive().body, [0, 10, 20])

    def test_an_asynchronous_command_that_stops_waiting_goes_on_and_the_late_answer_is_nobodys(self):
        self.host.call(1, "impatient")
        first, second = self.host.receive_kind(f.HOST_CALL), self.host.receive_kind(f.HOST_CALL)
        self.assertEqual(second.body["args"]["args"], {"sku": "y"})
        self.host.answer(first, 1)
        self.host.answer(second, 2)
        self.host.answer(self.expect({"name": "price_of", "args": {"sku": "z"}, "concurrent": True}), 3)
        self.assertEqual(self.host.receive().body, [2, 3])

    def test_tasks_that_wait_keep_their_context_variables(self):
        self.host.call(1, "own_values")
        for frame in reversed([self.host.receive_kind(f.HOST_CALL) for _ in range(3)]):
            self.host.answer(frame, None)
        self.assertEqual(self.host.receive().body, [0, 1, 2])

    def test_a_cancelled_command_may_still_ask_and_the_answer_to_what_it_left_is_nobodys(self):
        self.host.call(1, "swallowed")
        left = self.host.receive_kind(f.HOST_CALL)
        self.host.cancel(1)
        asked = self.host.receive_kind(f.HOST_CALL)
        self.assertEqual(asked.body["args"]["args"], {"sku": "y"})
        self.host.answer(left, 1)
        self.host.answer(asked, 2)
        self.assertEqual(self.host.receive().body, 2)

    def test_a_tool_that_raises_fails_the_task_that_asked_and_no_other(self):
        self.host.call(1, "acaught")
        asked = {frame.body["args"]["name"]: frame for frame in (self.host.receive_kind(f.HOST_CALL) for _ in range(2))}
        self.fail(asked["price_of"], code="REMOTE_ERROR", type="Gone", message="no such thing")
        self.host.answer(asked["price.of"], 7)
        self.assertEqual(self.host.receive().body, [7, "no such thing"])

    def test_a_thread_beside_the_event_loop_waits(self):
        self.host.call(1, "in_a_thread")
        frame = self.host.receive()
        if frame.kind == f.HOST_CALL:
            self.assertEqual(frame.body["args"], {"name": "price_of", "args": {"sku": "x"}})
            self.host.answer(frame, 5)
            frame = self.host.receive()
        self.assertEqual(frame.body, 5)

    def test_a_name_that_is_no_attribute_and_no_arguments(self):
        self.host.call(1, "named")
        self.host.answer(self.expect({"name": "price.of", "args": [1]}), 5)
        self.host.answer(self.expect({"name": "now", "args": {}}), 6)
        self.assertEqual(self.host.receive().body, [5, 6])

    def test_more_than_one_value_is_refused_before_anything_is_sent(self):
        for call, name in ((1, "several"), (2, "mixed")):
            self.host.call(call, name)
            error = self.host.receive().body
            self.assertEqual(error["type"], "TypeError")
            self.assertIn("tools take named arguments or one value; 'price_of' got", error["message"])

    def test_a_value_that_cannot_be_sent_is_refused(self):
        self.host.call(1, "nonsense")
        error = self.host.receive().body
        self.assertEqual((error["type"], error["data"]["code"]), ("ToolError", "INVALID_ARGUMENTS"))
        self.assertIn("args.args", error["message"])

    def test_what_the_tool_raised_is_raised_with_class_message_and_data(self):
        self.host.call(1, "caught")
        frame = self.host.receive_kind(f.HOST_CALL)
        self.fail(frame, code="REMOTE_ERROR", type="NotFoundException", message="no x", data={"status": 404})
        told = "the tool 'price_of' threw NotFoundException: no x"
        expected = ["price_of", "REMOTE_ERROR", "NotFoundException", "no x", {"status": 404}, told]
        self.assertEqual(self.host.receive().body, expected)

    def test_what_is_not_caught_is_told_to_the_caller(self):
        self.host.call(1, "aprice")
        frame = self.host.receive_kind(f.HOST_CALL)
        self.fail(frame, code="UNKNOWN_TOOL", message="there is no tool 'price_of'")
        error = self.host.receive().body
        self.assertEqual(error["type"], "ToolError")
        self.assertEqual(error["message"], "the tool 'price_of' failed (UNKNOWN_TOOL): there is no tool 'price_of'")
        self.assertEqual(error["data"], {"tool": "price_of", "code": "UNKNOWN_TOOL", "type": None, "data": None})

    def test_a_call_that_ends_before_the_answer_raises_cancelled(self):
        self.host.call(1, "caught_cancel")
        self.fail(self.host.receive_kind(f.HOST_CALL), code="CANCELLED", message="the caller has left")
        self.assertEqual(self.host.receive().body, "the caller has left")

    def test_names_that_python_itself_asks_for_are_no_tools(self):
        self.assertEqual(self.host.result(1, "no_dunders"), [False, True])
