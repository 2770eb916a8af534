"""Messages and events to the host's controllers, as commands send them."""

import unittest

from snakepit_bridge.v2 import frame as f

from .host import Host, write_module

MODULE = '''
    import asyncio
    from snakepit_bridge import Cancelled, HostError, MessageError, command

    @command
    def price(ctx):
        return ctx.send("price.lookup", {"sku": "x"})

    @command
    async def aprice(ctx):
        return await ctx.send("price.lookup", {"sku": "x"})

    @command
    async def aprices(ctx):
        return await asyncio.gather(*(ctx.send("price.lookup", n) for n in range(3)))

    @command
    def mapped(ctx):
        return ctx.send({"cmd": "now"})

    @command
    def nonsense(ctx):
        ctx.send("price.lookup", print)

    @command
    def caught(ctx):
        try:
            ctx.send("price.lookup")
        except MessageError as error:
            told = [error.pattern, error.code, error.type, error.message, error.data, str(error)]
            return told + [isinstance(error, HostError)]

    @command
    def caught_cancel(ctx):
        try:
            ctx.send("price.lookup")
        except Cancelled as error:
            return str(error)

    @command
    def tell(ctx):
        ctx.emit("order.done", {"id": 7})
        ctx.emit({"order": "paid"})
        return "told"
'''


class Messages(unittest.TestCase):
    def setUp(self):
        self.host = Host(self, write_module(self, MODULE))

    def expect(self, args, call=1):
        frame = self.host.receive_kind(f.HOST_CALL)
        self.assertEqual(frame.body, {"method": "message.send", "args": args, "call": call})
        return frame

    def fail(self, frame, **described):
        flags, body = self.host.codec.encode(described)
        self.host.send(f.HOST_ERROR, frame.id, flags, body=body)

    def test_a_command_waits_for_the_answer(self):
        self.host.call(1, "price")
        self.host.answer(self.expect({"pattern": "price.lookup", "data": {"sku": "x"}}), {"price": 5})
        self.assertEqual(self.host.receive().body, {"price": 5})

    def test_an_asynchronous_command_awaits_and_says_that_it_blocks_nothing(self):
        self.host.call(1, "aprice")
        args = {"pattern": "price.lookup", "data": {"sku": "x"}, "concurrent": True}
        self.host.answer(self.expect(args), 5)
        self.assertEqual(self.host.receive().body, 5)

    def test_an_asynchronous_command_waits_for_many_at_once(self):
        self.host.call(1, "aprices")
        frames = [self.host.receive_kind(f.HOST_CALL) for _ in range(3)]
        for frame in reversed(frames):
            self.host.answer(frame, frame.body["args"]["data"] * 10)
        self.assertEqual(self.host.receive().body, [0, 10, 20])

    def test_a_pattern_may_be_a_map_and_data_nothing(self):
        self.host.call(1, "mapped")
        self.host.answer(self.expect({"pattern": {"cmd": "now"}, "data": None}), 6)
        self.assertEqual(self.host.receive().body, 6)

    def test_data_that_cannot_be_sent_is_refused_with_the_path(self):
        self.host.call(1, "nonsense")
        error = self.host.receive().body
        self.assertEqual((error["type"], error["data"]["code"]), ("MessageError", "INVALID_ARGUMENTS"))
        self.assertIn("args.data", error["message"])

    def test_what_the_handler_raised_is_raised_with_message_and_data(self):
        self.host.call(1, "caught")
        frame = self.host.receive_kind(f.HOST_CALL)
        self.fail(frame, code="REMOTE_ERROR", type="RpcException", message="no x", data={"status": 404})
        told = "the message 'price.lookup' failed: no x"
        expected = ["price.lookup", "REMOTE_ERROR", "RpcException", "no x", {"status": 404}, told, True]
        self.assertEqual(self.host.receive().body, expected)

    def test_what_is_not_caught_is_told_to_the_caller(self):
        self.host.call(1, "price")
        self.fail(self.host.receive_kind(f.HOST_CALL), code="UNKNOWN_PATTERN", message="nobody answers")
        error = self.host.receive().body
        self.assertEqual(error["type"], "MessageError")
        self.assertEqual(error["message"], "the message 'price.lookup' failed (UNKNOWN_PATTERN): nobody answers")
        told = {"pattern": "price.lookup", "code": "UNKNOWN_PATTERN", "type": None, "data": None}
        self.assertEqual(error["data"], told)

    def test_a_call_that_ends_before_the_answer_raises_cancelled(self):
        self.host.call(1, "caught_cancel")
        self.fail(self.host.receive_kind(f.HOST_CALL), code="CANCELLED", message="the caller has left")
        self.assertEqual(self.host.receive().body, "the caller has left")

    def test_events_have_a_name_which_is_json_where_the_pattern_is_a_map(self):
        self.host.call(1, "tell")
        events = [self.host.receive_kind(f.EVENT).body for _ in range(2)]
        self.assertEqual(events[0], {"name": "order.done", "data": {"id": 7}})
        self.assertEqual(events[1], {"name": '{"order": "paid"}', "data": None})
