"""Calls that run side by side in one worker: on threads, and in the event loop."""

import sys
import unittest

from snakepit_bridge.v2 import frame as f

from .host import Host, write_module

MODULE = '''
    import asyncio, contextvars, logging, threading, time

    gate = threading.Event()
    kept = contextvars.ContextVar("kept", default=None)

    def wait():
        gate.wait()
        return threading.current_thread() is not threading.main_thread()

    def release():
        gate.set()

    def patient(ctx):
        while not ctx.cancelled:
            time.sleep(0.001)
        ctx.raise_if_cancelled()

    def keeps(value):
        before = kept.get()
        kept.set(value)
        return before

    def logs(text):
        logging.getLogger("app").warning(text)

    def numbers(count):
        try:
            yield from range(count)
        finally:
            gate.set()

    def asks(ctx):
        return ctx.tools.price(sku=1)

    def fails():
        raise ValueError("no")

    def leaves():
        raise SystemExit(3)

    async def meet():
        while not gate.is_set():
            await asyncio.sleep(0.001)
        return "met"
'''


class ThreadsTest(unittest.TestCase):
    def start(self, concurrency=3):
        module = write_module(self, MODULE)
        command_line = [sys.executable, "-m", "snakepit_bridge.worker", "--module", module, "--threads"]
        return Host(self, module, command_line=command_line, concurrency=concurrency)

    def test_says_that_all_commands_run_side_by_side(self):
        self.assertFalse([each for each in self.start().hello["commands"] if "concurrent" in each])

    def test_long_calls_leave_one_thread_free(self):
        host = self.start()
        for number in (1, 2, 3):
            host.call(number, "wait", None)
        host.call(4, "release", None)
        answers = {frame.id: frame.body for frame in [host.receive() for _ in range(4)]}
        self.assertEqual(answers, {1: True, 2: True, 3: True, 4: None})

    def test_a_call_that_found_no_thread_is_cancelled_at_once(self):
        host = self.start(1)
        for number in (1, 2):
            host.call(number, "patient", None)
        host.call(3, "patient", None)
        host.cancel(3)
        self.assertEqual(self.cancelled(host), (3, False))
        host.cancel(1)
        self.assertEqual(self.cancelled(host), (1, True))

    def cancelled(self, host):
        frame = host.receive()
        self.assertEqual((frame.kind, frame.body["code"]), (f.ERROR, "CANCELLED"))
        return frame.id, frame.body["started"]

    def test_each_call_has_a_context_of_its_own(self):
        host = self.start(1)
        for number in range(1, 6):
            host.call(number, "keeps", [number])
        self.assertEqual({host.receive().body for _ in range(5)}, {None})

    def test_records_name_their_calls(self):
        host = self.start()
        for number in (1, 2):
            host.call(number, "logs", [str(number)])
        frames = [host.receive() for _ in range(4)]
        said = {frame.id: frame.body["message"] for frame in frames if frame.kind == f.LOG}
        self.assertEqual(said, {1: "1", 2: "2"})

    def test_a_stream_waits_for_credit_and_is_closed_when_cancelled(self):
        host = self.start()
        host.call(1, "numbers", [100], stream=True)
        self.assertEqual([host.receive().body for _ in range(4)], [0, 1, 2, 3])
        host.credit(1, 2)
        self.assertEqual([host.receive().body for _ in range(2)], [4, 5])
        host.call(2, "wait", None)
        host.cancel(1)
        frames = {frame.id: frame for frame in (host.receive(), host.receive())}
        self.assertEqual(frames[1].body["code"], "CANCELLED")
        self.assertEqual(frames[2].body, True)

    def test_a_stream_ends(self):
        host = self.start()
        host.call(1, "numbers", [2], stream=True)
        self.assertEqual([host.receive().kind for _ in range(3)], [f.CHUNK, f.CHUNK, f.END])

    def test_a_tool_is_waited_for_on_its_thread(self):
        host = self.start()
        host.call(1, "asks", None)
        question = host.receive()
        self.assertEqual(question.kind, f.HOST_CALL)
        host.call(2, "keeps", [1])
        self.assertEqual(host.receive().id, 2)
        host.answer(question, 7)
        self.assertEqual(host.receive().body, 7)

    def test_failures_misfits_and_exits(self):
        host = self.start()
        host.call(1, "fails", None)
        self.assertEqual(host.receive().body["type"], "ValueError")
        host.call(2, "keeps", [1, 2, 3])
        self.assertEqual(host.receive().body["code"], "INVALID_ARGUMENTS")
        host.call(3, "numbers", [1])
        self.assertEqual(host.receive().body["code"], "INVALID_ARGUMENTS")
        host.call(4, "leaves", None)
        self.assertEqual(host.wait(), 3)

    def test_beside_the_event_loop(self):
        host = self.start()
        host.call(1, "meet", None)
        host.call(2, "wait", None)
        host.call(3, "release", None)
        answers = {frame.id: frame.body for frame in [host.receive() for _ in range(3)]}
        self.assertEqual(answers, {1: "met", 2: True, 3: None})

    def test_shutdown_finishes_what_runs(self):
        host = self.start()
        host.call(1, "wait", None)
        host.call(2, "keeps", [1])
        self.assertEqual(host.receive().id, 2)
        host.send(f.SHUTDOWN)
        host.call(3, "release", None)
        self.assertEqual({host.receive().id, host.receive().id}, {1, 3})
        self.assertEqual(host.wait(), 0)


class WithoutThreadsTest(unittest.TestCase):
    def test_plain_commands_say_that_they_run_alone_where_the_host_asks_for_several(self):
        host = Host(self, write_module(self, MODULE), concurrency=4)
        alone = {each["name"]: each.get("concurrent") for each in host.hello["commands"]}
        self.assertIs(alone["wait"], False)
        self.assertIs(alone["numbers"], False)
        self.assertIsNone(alone["meet"])

    def test_nothing_is_said_to_a_host_that_asks_for_one(self):
        host = Host(self, write_module(self, MODULE))
        self.assertFalse([each for each in host.hello["commands"] if "concurrent" in each])


if __name__ == "__main__":
    unittest.main()
