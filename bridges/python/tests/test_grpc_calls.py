"""Calls over gRPC: results, failures, deadlines, cancelling."""

import unittest

import grpc

from .grpc_host import Host, pb
from .host import write_module

MODULE = '''
    import array, asyncio, os, sys, threading, time
    from snakepit_bridge import command

    class Custom(Exception):
        def __init__(self, message, data):
            super().__init__(message)
            self.data = data

    def wait_for_go(name):
        while not os.path.exists(os.path.join(os.path.dirname(__file__), name)):
            time.sleep(0.001)

    @command
    def echo(value=None):
        return value

    @command
    def add(a, b):
        return a + b

    @command
    async def add_async(a, b):
        await asyncio.sleep(0)
        return a + b

    @command
    def fail(size=0, data=None):
        raise Custom("boom" + "x" * size, data)

    @command
    def deep_fail(depth):
        if depth:
            exec(compile("deep_fail(depth - 1)", "f" * 200, "exec"))
        raise ValueError("deep")

    @command
    def block(ctx, name="go"):
        ctx.progress("begun")
        wait_for_go(name)
        return "unblocked"

    @command
    def spin(ctx):
        ctx.progress("begun")
        while not ctx.cancelled:
            pass
        return "saw it"

    @command
    def busy_loop(ctx):
        ctx.progress("begun")
        while True:
            pass

    @command
    def raises(ctx):
        ctx.progress("begun")
        while True:
            ctx.raise_if_cancelled()

    @command
    async def sleep_async(ctx):
        ctx.progress("begun")
        await asyncio.sleep(60)

    @command
    def facts(ctx):
        session = ctx.session
        return [ctx.command, ctx.call_id, ctx.trace, ctx.context, session and session.id, ctx.deadline_seconds]

    @command
    def typed():
        return array.array("d", [1.5, 2.5])

    @command
    def bad_result():
        return {"items": [object()]}

    @command
    def big(size):
        return b"x" * size

    @command
    def numbers(n):
        yield from range(n)

    @command
    def stop(status):
        sys.exit(status)

    @command
    def chatty(ctx):
        for at in range(20):
            ctx.log.info("line", at=at)
            ctx.emit("tick", at)
            ctx.progress(at)
        return "done"
'''


class Calls(unittest.TestCase):
    def setUp(self):
        self.path = write_module(self, MODULE)
        self.host = Host(self, self.path)

    def test_results_come_back(self):
        self.assertEqual(self.host.call(1, "add", {"a": 1, "b": 2}).value, 3)
        self.assertEqual(self.host.call(2, "add", [1, 2]).value, 3)
        self.assertIsNone(self.host.call(3, "echo").value)
        self.assertEqual(self.host.call(4, "add_async", [1, 2]).value, 3)

    def test_many_calls_at_once(self):
        futures = [(n, self.host.start(n, "add_async" if n % 2 else "add", [n, n])) for n in range(1, 300)]
        for n, future in futures:
            self.assertEqual(self.host.finish(future).value, 2 * n)

    def test_the_hello_has_the_manifest(self):
        hello = self.host.hello
        self.assertEqual((hello.protocol, hello.codec, hello.language, hello.sdk.name), (2, "json", "python", "snakepit_bridge"))
        self.assertEqual(hello.pid, self.host.process.pid)
        self.assertTrue(hello.typed_arrays)
        self.assertFalse(hello.silent_while_busy)
        kinds = {command.name: command.kind for command in hello.commands}
        self.assertEqual((kinds["add"], kinds["numbers"]), (pb.COMMAND_KIND_CALL, pb.COMMAND_KIND_STREAM))

    def test_facts_of_the_call(self):
        answer = self.host.call(
            9, "facts", session="s", traceparent="00-a-b-01", tracestate="x=y", context={"tenant": "t"}, timeout=10
        )
        command, call_id, trace, context, session, seconds = answer.value
        self.assertEqual((command, call_id, context, session), ("facts", 9, {"tenant": "t"}, "s"))
        self.assertEqual(trace, {"traceparent": "00-a-b-01", "tracestate": "x=y"})
        self.assertTrue(5 < seconds < 11, seconds)  # gRPC rounds what it tells the server

    def test_binary_and_typed_arrays(self):
        self.assertEqual(self.host.call(1, "echo", [b"\x00\xff"]).value, b"\x00\xff")
        typed = self.host.call(2, "typed").value
        self.assertEqual((typed.format, typed.tolist()), ("d", [1.5, 2.5]))

    def test_a_failure_has_its_traceback_and_data(self):
        answer = self.host.call(1, "fail", {"data": {"month": 13}})
        failure = answer.failure
        self.assertEqual(answer.status, grpc.StatusCode.UNKNOWN)
        self.assertEqual((answer.details, failure.code, failure.type, failure.message), ("boom", "REMOTE_ERROR", "Custom", "boom"))
        self.assertIn("in fail", failure.traceback)
        self.assertNotIn("snakepit_bridge", failure.traceback)
        self.assertEqual(self.host.value(failure.data), {"month": 13})
        self.assertEqual((failure.abridged, failure.notices), (False, 0))

    def test_a_large_failure_comes_whole_over_the_control_stream(self):
        answer = self.host.call(1, "fail", {"size": 100_000, "data": {"month": 13}})
        self.assertEqual((answer.failure.abridged, answer.failure.notices, answer.failure.traceback), (True, 1, ""))
        self.assertEqual(len(answer.failure.message), 1024)
        whole = self.host.wait_for("failure", lambda each: each.call == 1).failure
        self.assertEqual(len(whole.message), 100_004)
        self.assertEqual(self.host.value(whole.data), {"month": 13})
        self.assertIn("in fail", whole.traceback)

    def test_a_large_traceback_is_abridged(self):
        answer = self.host.call(1, "deep_fail", [50])
        self.assertEqual((answer.failure.abridged, answer.failure.message), (True, "deep"))
        whole = self.host.wait_for("failure", lambda each: each.call == 1).failure
        self.assertIn("ValueError: deep", whole.traceback)
        self.assertGreater(len(whole.traceback), 4096)

    def test_a_failure_beyond_the_limit_is_shortened(self):
        self.host.call(1, "fail", {"size": 2 << 20})
        whole = self.host.wait_for("failure", lambda each: each.call == 1).failure
        self.assertEqual((whole.code, len(whole.message), whole.traceback), ("REMOTE_ERROR", 8193, ""))

    def check_refused(self, answer, status, code, says):
        self.assertEqual((answer.status, answer.failure.code), (status, code))
        self.assertIn(says, answer.failure.message)

    def test_refusals_have_their_status(self):
        codes, host = grpc.StatusCode, self.host
        self.check_refused(host.call(1, "add", {"a": 1}), codes.INVALID_ARGUMENT, "INVALID_ARGUMENTS", "missing a required argument")
        self.check_refused(host.call(2, "nothing"), codes.UNIMPLEMENTED, "UNKNOWN_COMMAND", "no command named 'nothing'")
        self.check_refused(host.call(3, "bad_result"), codes.INTERNAL, "INVALID_RESULT", "result.items[0]")
        self.check_refused(host.call(4, "big", [2 << 20]), codes.RESOURCE_EXHAUSTED, "FRAME_TOO_LARGE", "maxFrameBytes")
        self.check_refused(host.call(5, "numbers", [3]), codes.INVALID_ARGUMENT, "INVALID_ARGUMENTS", "call it as one")
        request = pb.CallRequest(attachment=host.attachment, id=6, command=999)
        answer = host.finish(host.stub.Execute.future(request, metadata=host.metadata))
        self.check_refused(answer, codes.UNIMPLEMENTED, "UNKNOWN_COMMAND", "of index 999")
        request = pb.CallRequest(attachment=host.attachment, id=7, command=host.index["echo"], body=b"{")
        answer = host.finish(host.stub.Execute.future(request, metadata=host.metadata))
        self.check_refused(answer, codes.INVALID_ARGUMENT, "INVALID_ARGUMENTS", "malformed")

    def test_a_broken_host_is_refused(self):
        host = self.host
        request = pb.CallRequest(attachment=77, id=1)
        answer = host.finish(host.stub.Execute.future(request, metadata=host.metadata))
        self.assertEqual((answer.status, answer.failure), (grpc.StatusCode.FAILED_PRECONDITION, None))
        running = host.start(5, "block")
        host.wait_for("progress")
        answer = host.call(5, "echo")
        self.assertEqual(answer.status, grpc.StatusCode.INVALID_ARGUMENT)
        self.assertEqual(host.call(0, "echo").status, grpc.StatusCode.INVALID_ARGUMENT)
        self.go()
        self.assertEqual(host.finish(running).value, "unblocked")

    def test_a_result_as_large_as_the_limit_passes(self):
        self.assertEqual(len(self.host.call(1, "big", [1_000_000]).value), 1_000_000)

    def test_an_answer_tells_how_many_notices_went_ahead(self):
        answer = self.host.call(1, "chatty")
        self.assertEqual((answer.value, answer.reply.notices), ("done", 60))
        for kind in ("log", "event", "progress"):
            for at in range(20):
                message = self.host.wait_for(kind, lambda each: each.call == 1)
                body = {"log": "fields", "event": "data", "progress": "value"}[kind]
                self.assertEqual(self.host.value(getattr(message, body)), {"at": at} if kind == "log" else at)

    def test_system_exit_of_a_command_ends_the_worker_with_its_status(self):
        self.host.call(1, "stop", [7])
        self.assertEqual(self.host.wait(), 7)

    # --- cancelling

    def go(self, name="go"):
        import os

        with open(os.path.join(os.path.dirname(self.path), name), "w"):
            pass

    def begin(self, number, name, **options):
        future = self.host.start(number, name, **options)
        self.host.wait_for("progress", lambda each: each.call == number)
        return future

    def cancel(self, number, reason=pb.CANCEL_REASON_CALLER):
        self.host.send(cancel=pb.Cancel(call=number, reason=reason))

    def check_cancelled(self, future, started):
        answer = self.host.finish(future)
        self.assertEqual((answer.status, answer.failure.code), (grpc.StatusCode.CANCELLED, "CANCELLED"))
        self.assertEqual((answer.failure.HasField("started"), answer.failure.started), (True, started))

    def test_pings_are_answered_while_a_command_runs(self):
        future = self.begin(1, "block")
        self.host.send_all(*({"ping": pb.Ping(id=n)} for n in (7, 8)))
        self.assertEqual(self.host.wait_for("pong").id, 7)
        self.assertEqual(self.host.wait_for("pong").id, 8)
        self.go()
        self.assertEqual(self.host.finish(future).value, "unblocked")

    def test_pings_are_answered_while_python_code_spins(self):
        self.begin(1, "busy_loop")
        self.host.send(ping=pb.Ping(id=7))
        self.assertEqual(self.host.wait_for("pong").id, 7)
        self.assertEqual(self.host.call(2, "add_async", [1, 2]).value, 3)

    def test_a_waiting_call_is_cancelled_before_it_begins(self):
        running = self.begin(1, "block")
        waiting = self.host.start(2, "echo")
        stream = self.host.stream(3, "numbers", [5])
        # Both are there when a call that came after them is answered.
        self.assertEqual(self.host.call(4, "add_async", [1, 2]).value, 3)
        self.cancel(2)
        self.cancel(3)
        self.check_cancelled(waiting, started=False)
        with self.assertRaises(grpc.RpcError) as caught:
            list(stream)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.CANCELLED)
        self.go()
        self.assertEqual(self.host.finish(running).value, "unblocked")

    def test_a_running_command_sees_it(self):
        future = self.begin(1, "spin")
        self.cancel(1)
        self.assertEqual(self.host.finish(future).value, "saw it")

    def test_raise_if_cancelled(self):
        future = self.begin(1, "raises")
        self.cancel(1)
        self.check_cancelled(future, started=True)

    def test_an_asynchronous_command_is_cancelled(self):
        future = self.begin(1, "sleep_async")
        self.cancel(1)
        self.check_cancelled(future, started=True)

    def test_a_cancel_that_comes_before_its_call(self):
        self.cancel(1)
        self.assertEqual(self.host.wait_for("released").call, 1)
        self.check_cancelled(self.host.start(1, "echo"), started=False)
        self.assertIsNone(self.host.call(1, "echo").value)

    def test_late_cancels_are_remembered_within_bounds(self):
        self.host.send_all(*({"cancel": pb.Cancel(call=n)} for n in range(1, 1026)))
        for n in range(1, 1026):
            self.assertEqual(self.host.wait_for("released").call, n)
        self.assertIsNone(self.host.call(1, "echo").value)
        self.check_cancelled(self.host.start(2, "echo"), started=False)
        self.check_cancelled(self.host.start(1025, "echo"), started=False)

    def test_a_call_that_is_reset_is_released_when_its_command_has_stopped(self):
        future = self.begin(1, "spin")
        future.cancel()
        self.assertEqual(self.host.wait_for("released").call, 1)
        self.assertEqual(self.host.call(2, "add", [1, 2]).value, 3)

    def test_a_waiting_call_that_is_reset_is_released_at_once(self):
        running = self.begin(1, "block")
        waiting = self.host.start(2, "echo")
        self.assertEqual(self.host.call(3, "add_async", [1, 2]).value, 3)
        waiting.cancel()
        released = self.host.wait_for("released")
        self.assertEqual((released.call, released.service_us), (2, 0))
        self.go()
        self.assertEqual(self.host.finish(running).value, "unblocked")

    def test_a_deadline_ends_the_rpc_and_the_command_is_released_later(self):
        future = self.begin(1, "block", timeout=0.3)
        answer = self.host.finish(future)
        self.assertEqual((answer.status, answer.failure), (grpc.StatusCode.DEADLINE_EXCEEDED, None))
        self.cancel(1, pb.CANCEL_REASON_DEADLINE)
        self.assertEqual(self.host.call(2, "add_async", [1, 2]).value, 3)
        self.go()
        released = self.host.wait_for("released")
        self.assertEqual(released.call, 1)
        self.assertGreater(released.service_us, 250_000)

    def test_a_deadline_cancels_an_asynchronous_command(self):
        answer = self.host.call(1, "sleep_async", timeout=0.3)
        self.assertEqual(answer.status, grpc.StatusCode.DEADLINE_EXCEEDED)
        self.assertEqual(self.host.wait_for("released").call, 1)

    def test_every_call_of_a_race_with_cancelling_is_answered_or_released(self):
        for n in range(1, 201):
            future = self.host.start(n, "add", [n, n])
            self.cancel(n)
            if n % 2:
                future.cancel()
                self.assertEqual(self.host.wait_for("released", lambda each, n=n: each.call == n).call, n)
                continue
            answer = self.host.finish(future)
            self.assertTrue(answer.value == 2 * n or answer.failure.code == "CANCELLED", answer.status)
        self.assertEqual(self.host.call(999, "add", [1, 2]).value, 3)


class CallsInMessagePack(unittest.TestCase):
    def test_values_keep_their_types(self):
        host = Host(self, write_module(self, MODULE), "msgpack")
        self.assertEqual(host.hello.codec, "msgpack")
        self.assertEqual(host.call(1, "echo", [{"a": b"x", "n": 2**63}]).value, {"a": b"x", "n": 2**63})
        self.assertEqual(host.call(2, "typed").value.tolist(), [1.5, 2.5])
        self.assertEqual(host.value(host.call(3, "fail", {"data": [1]}).failure.data), [1])

    def test_a_cancelled_call_is_released_after_its_answer_too(self):
        host = Host(self, write_module(self, MODULE))
        future = host.start(1, "spin")
        host.wait_for("progress")
        host.send(cancel=pb.Cancel(call=1))
        self.assertEqual(host.finish(future).value, "saw it")
        released = host.wait_for("released")
        self.assertEqual(released.call, 1)
        self.assertGreater(released.service_us, 0)
