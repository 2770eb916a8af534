"""Session data and session hooks."""

import unittest

from snakepit_bridge.v2 import frame as f

from .host import Host, write_module

MODULE = '''
    from snakepit_bridge import command, on_session_close, on_session_open

    @command
    def verbs(ctx):
        s = ctx.session
        s.set("k", 1)
        return [s.get("k"), s.get("none", "default"), s.delete("k"), s.keys(), s.programs.get("p"), ctx.globals.get("g")]

    @command
    async def averbs(ctx):
        s = ctx.session
        await s.aset("k", 1)
        return [await s.aget("k"), await s.adelete("k"), await s.akeys()]

    @command
    def count_up(ctx):
        return ctx.session.update("n", lambda n: n + 1, 0)

    @command
    async def acount_up(ctx):
        return await ctx.globals.aupdate("n", lambda n: n + 1, 0)

    @command
    def generate(ctx):
        yield ctx.session.get("k")
'''

HOOKS = '''
    import asyncio
    from snakepit_bridge import command, on_session_close, on_session_open

    events = []

    @on_session_open
    def opened(session):
        events.append(["open", session.id, session.get("k")])

    @on_session_open
    async def opened_too(session):
        events.append(["async open", session.id, await session.aget("k")])

    @on_session_close
    def closed(session):
        events.append(["close", session.id])

    @command
    def seen():
        return events

    @command
    async def aseen():
        return events
'''


class SessionData(unittest.TestCase):
    def setUp(self):
        self.host = Host(self, write_module(self, MODULE))

    def question(self):
        frame = self.host.receive()
        self.assertEqual((frame.kind, frame.body["call"]), (f.HOST_CALL, 1))
        return frame

    def expect(self, method, args, answer):
        frame = self.question()
        self.assertEqual((frame.body["method"], frame.body["args"]), (method, args))
        self.host.answer(frame, answer)

    def test_every_verb_asks_the_host(self):
        self.host.call(1, "verbs", meta={"session": "s"})
        self.expect("session.write", {"map": "metadata", "key": "k", "value": 1}, {"written": True, "revision": 2})
        self.expect("session.read", {"map": "metadata", "key": "k"}, {"found": True, "value": 1, "revision": 2})
        self.expect("session.read", {"map": "metadata", "key": "none"}, {"found": False, "value": None, "revision": 2})
        self.expect("session.delete", {"map": "metadata", "key": "k"}, {"written": True, "revision": 3})
        self.expect("session.keys", {"map": "metadata"}, ["a"])
        self.expect("session.read", {"map": "programs", "key": "p"}, {"found": True, "value": [1], "revision": 3})
        self.expect("session.read", {"map": "globals", "key": "g"}, {"found": True, "value": 9, "revision": 1})
        self.assertEqual(self.host.receive().body, [1, "default", True, ["a"], [1], 9])

    def test_asynchronous_commands_await_their_answers(self):
        self.host.call(1, "averbs", meta={"session": "s"})
        self.expect("session.write", {"map": "metadata", "key": "k", "value": 1}, {"written": True, "revision": 2})
        self.expect("session.read", {"map": "metadata", "key": "k"}, {"found": True, "value": 1, "revision": 2})
        self.expect("session.delete", {"map": "metadata", "key": "k"}, {"written": False, "revision": 2})
        self.expect("session.keys", {"map": "metadata"}, [])
        self.assertEqual(self.host.receive().body, [1, False, []])

    def check_update(self, name, map_name):
        self.host.call(1, name, meta={"session": "s"})
        self.expect("session.read", {"map": map_name, "key": "n"}, {"found": False, "value": None, "revision": 4})
        first = {"map": map_name, "key": "n", "value": 1, "revision": 4}
        self.expect("session.write", first, {"written": False, "revision": 5})
        self.expect("session.read", {"map": map_name, "key": "n"}, {"found": True, "value": 7, "revision": 5})
        second = {"map": map_name, "key": "n", "value": 8, "revision": 5}
        self.expect("session.write", second, {"written": True, "revision": 6})
        self.assertEqual(self.host.receive().body, 8)

    def test_an_update_that_lost_a_race_is_tried_again(self):
        self.check_update("count_up", "metadata")

    def test_an_asynchronous_update_that_lost_a_race_is_tried_again(self):
        self.check_update("acount_up", "globals")

    def test_a_refusal_of_the_host_is_raised_in_the_command(self):
        self.host.call(1, "count_up", meta={"session": "s"})
        self.host.refuse(self.question(), "SESSION_NOT_FOUND", "no session s")
        error = self.host.receive().body
        self.assertEqual((error["type"], error["message"]), ("HostError", "no session s"))
        self.assertEqual(error["data"], {"code": "SESSION_NOT_FOUND"})

    def test_calls_that_arrive_while_a_command_waits_run_afterwards(self):
        self.host.call(1, "count_up", meta={"session": "s"})
        question = self.question()
        self.host.call(2, "count_up", meta={"session": "s"})
        self.host.send(f.PING, 5)
        self.assertEqual(self.host.receive().kind, f.PONG)
        self.host.refuse(question, "SESSION_NOT_FOUND", "gone")
        self.assertEqual(self.host.receive().id, 1)
        self.assertEqual(self.host.receive().body["call"], 2)

    def test_a_generator_can_ask_the_host(self):
        self.host.call(1, "generate", meta={"session": "s"}, stream=True)
        self.expect("session.read", {"map": "metadata", "key": "k"}, {"found": True, "value": 3, "revision": 1})
        self.assertEqual(self.host.receive().body, 3)

    def test_an_answer_to_no_question_is_a_protocol_error(self):
        self.host.send(f.HOST_RESULT, 9, body=b"\xc0")
        self.assertEqual(self.host.wait(), 70)


class SessionHooks(unittest.TestCase):
    def test_hooks_run_once_for_each_session_in_a_worker(self):
        host = Host(self, write_module(self, HOOKS))
        host.call(1, "seen", meta={"session": "s"})
        for _ in range(2):
            host.answer(host.receive_kind(f.HOST_CALL), {"found": True, "value": 1, "revision": 1})
        expected = [["open", "s", 1], ["async open", "s", 1]]
        self.assertEqual(host.receive().body, expected)
        self.assertEqual(host.result(2, "aseen", meta={"session": "s"}), expected)
        self.assertEqual(host.result(3, "seen"), expected)
        flags, body = host.codec.encode("s")
        host.send(f.SESSION_CLOSED, 0, flags, body=body)
        flags, body = host.codec.encode("never seen")
        host.send(f.SESSION_CLOSED, 0, flags, body=body)
        self.assertEqual(host.result(4, "seen"), expected + [["close", "s"]])

    def test_a_failing_hook_fails_the_call(self):
        host = Host(self, write_module(self, HOOKS))
        host.call(1, "aseen", meta={"session": "s"})
        host.refuse(host.receive_kind(f.HOST_CALL), "SESSION_NOT_FOUND", "gone")
        self.assertEqual(host.receive().body["type"], "HostError")
