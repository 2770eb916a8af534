"""The ancestor's service: its start, its values, its streams and failures."""

import os
import signal
import socket
import tempfile
import unittest

import grpc

from snakepit_bridge.grpc.generated import snakepit_bridge_pb2 as pb
from snakepit_bridge.grpc.generated.snakepit_bridge_pb2_grpc import SnakepitBridgeStub

from .grpc_host import Host, standalone
from .host import TIMEOUT_SECONDS, write_module

MODULE = '''
    import datetime, os, time
    from snakepit_bridge import command

    @command
    def kinds(**args):
        return {name: "%s %r" % (type(value).__name__, value) for name, value in args.items()}

    @command
    def give(what):
        return {
            "map": {"text": "plain", "number": 5, "list": [1, {"a": None}], "raw": b"\\xff\\x00", "flag": True, "nothing": None},
            "scalar": 5,
            "text": "hello",
            "binary": b"\\xff",
            "inner binary": {"x": [b"1"]},
            "time": datetime.datetime.now(datetime.timezone.utc),
            "nan": {"x": float("nan")},
        }[what]

    @command
    async def wait():
        import asyncio
        try:
            await asyncio.sleep(60)
        finally:
            open(os.path.join(os.path.dirname(__file__), "cancelled"), "w").close()

    @command
    def fails():
        raise ValueError("boom")

    @command
    def session_of(ctx):
        return ctx.session and ctx.session.id

    @command
    def session_data(ctx):
        return ctx.session.get("x")

    @command
    def numbers(n, fails_at=None):
        try:
            for at in range(n):
                if at == fails_at:
                    raise ValueError("bad")
                yield at if at % 2 else {"at": at}
        finally:
            open(os.path.join(os.path.dirname(__file__), "closed"), "w").close()
'''


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Ancestor(unittest.TestCase):
    def setUp(self):
        self.path = write_module(self, MODULE)
        port = free_port()
        self.process, line = standalone(self, self.path, "--port", str(port))
        self.assertEqual(line, "GRPC_SERVER_READY_ON_PORT=%d" % port)
        channel = grpc.insecure_channel("127.0.0.1:%d" % port)
        self.addCleanup(channel.close)
        self.stub = SnakepitBridgeStub(channel)

    def execute(self, command, timeout_ms=0, **args):
        request = pb.ExecuteRequest(command=command, args=args, timeout_ms=timeout_ms, request_id="r1")
        response = self.stub.Execute(request, timeout=TIMEOUT_SECONDS)
        self.assertEqual(response.request_id, "r1")
        self.assertGreater(response.timestamp, 10**18)
        return response

    def result(self, command, **args):
        response = self.execute(command, **args)
        self.assertTrue(response.success, response.error)
        return dict(response.result)

    def error(self, command, **args):
        response = self.execute(command, **args)
        self.assertFalse(response.success)
        return response.error

    def wait_for_file(self, name):
        path = os.path.join(os.path.dirname(self.path), name)
        for _ in range(20_000):
            if os.path.exists(path):
                return
            signal.sigtimedwait([], 0.001)
        self.fail("%s was not written" % name)

    def test_arguments_are_json_or_else_text_or_else_binary(self):
        self.assertEqual(
            self.result("kinds", a=b"5", b=b'"5"', c=b"[1, null]", d=b"plain text", e=b"\xff\x00", f=b"", g=b"NaN"),
            {
                "a": b"int 5",
                "b": b"str '5'",
                "c": b"list [1, None]",
                "d": b"str 'plain text'",
                "e": b"bytes b'\\xff\\x00'",
                "f": b"str ''",
                "g": b"float nan",
            },
        )

    def test_results_are_maps_of_bytes(self):
        expected = {"text": b"plain", "number": b"5", "list": b'[1,{"a":null}]', "raw": b"\xff\x00", "flag": b"true", "nothing": b"null"}
        self.assertEqual(self.result("give", what=b"map"), expected)
        self.assertEqual(self.result("give", what=b"scalar"), {"result": b"5"})
        self.assertEqual(self.result("give", what=b"text"), {"result": b"hello"})
        self.assertEqual(self.result("give", what=b"binary"), {"result": b"\xff"})

    def test_what_json_cannot_carry_is_refused(self):
        for what in (b"inner binary", b"time", b"nan"):
            self.assertIn("cannot carry", self.error("give", what=what))

    def test_failures_are_texts(self):
        self.assertEqual(self.error("fails"), "boom")
        self.assertIn("no command named 'nothing'", self.error("nothing"))
        self.assertIn("unexpected keyword", self.error("give", what=b"x", other=b"1"))
        self.assertIn("call it as one", self.error("numbers", n=b"1"))

    def test_a_timeout_ends_the_call_and_cancels_the_command(self):
        with self.assertRaises(grpc.RpcError) as caught:
            self.execute("wait", timeout_ms=200)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
        self.wait_for_file("cancelled")

    def test_sessions(self):
        request = pb.SessionRequest(session_id="s1", command="session_of", request_id="r")
        self.assertEqual(self.stub.ExecuteInSession(request).result["result"], b"s1")
        self.assertEqual(self.result("session_of"), {"result": b"null"})
        request = pb.SessionRequest(session_id="s1", command="session_data")
        self.assertIn("without a control stream", self.stub.ExecuteInSession(request).error)

    def stream(self, n, **args):
        request = pb.ExecuteRequest(command="numbers", args={"n": b"%d" % n, **args}, request_id="r1")
        return self.stub.ExecuteStream(request, timeout=TIMEOUT_SECONDS)

    def test_a_stream_is_chunks_and_a_final_message(self):
        responses = list(self.stream(500))
        self.assertEqual([dict(each.chunk) for each in responses[:3]], [{"at": b"0"}, {"result": b"1"}, {"at": b"2"}])
        self.assertEqual([each.chunk_index for each in responses], list(range(501)))
        self.assertEqual([each.is_final for each in responses], [False] * 500 + [True])
        self.assertEqual((dict(responses[-1].chunk), responses[-1].error), ({}, ""))
        request = pb.SessionRequest(session_id="s", command="numbers", args={"n": b"1"})
        self.assertEqual(len(list(self.stub.ExecuteInSessionStream(request))), 2)

    def test_a_stream_that_fails_says_so(self):
        responses = list(self.stream(5, fails_at=b"3"))
        self.assertEqual((len(responses), responses[-1].is_final, responses[-1].error), (4, True, "bad"))

    def test_a_stream_that_is_reset_is_closed(self):
        responses = self.stream(10**9)
        next(responses)
        responses.cancel()
        self.wait_for_file("closed")

    def test_health_and_info(self):
        self.result("kinds")
        self.error("fails")
        health = self.stub.Health(pb.HealthRequest(worker_id="w1"))
        self.assertEqual((health.healthy, health.worker_id, health.total_requests, health.total_errors), (True, "w1", 2, 1))
        info = self.stub.GetInfo(pb.InfoRequest(include_capabilities=True, include_stats=True))
        self.assertEqual((info.worker_type, info.capabilities["streaming"]), ("python-grpc", "true"))
        self.assertIn("numbers", info.supported_commands)
        self.assertEqual((info.stats.requests_handled, info.stats.requests_failed), (2, 1))
        self.assertGreater(info.stats.memory_usage_bytes, 1 << 20)

    def test_sigterm_ends_it_in_good_order(self):
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.process.wait(TIMEOUT_SECONDS), 0)


class Starting(unittest.TestCase):
    def test_a_handler_class_is_served(self):
        for arguments in ((), ("--adapter", "snakepit_bridge.cli.custom.CustomCommandHandler")):
            port = free_port()
            standalone(self, "--port", str(port), *arguments)
            with grpc.insecure_channel("127.0.0.1:%d" % port) as channel:
                stub = SnakepitBridgeStub(channel)
                response = stub.Execute(pb.ExecuteRequest(command="compute", args={"a": b"2", "b": b"3"}))
                self.assertEqual((response.result["result"], response.result["status"]), (b"5", b"ok"))
                self.assertEqual("hash" in stub.GetInfo(pb.InfoRequest()).supported_commands, bool(arguments))

    def test_a_port_that_is_taken_ends_it_without_the_line(self):
        with socket.socket() as taken:
            taken.bind(("0.0.0.0", 0))
            taken.listen()
            process, line = standalone(self, "--port", str(taken.getsockname()[1]))
            self.assertEqual((line, process.wait(TIMEOUT_SECONDS)), ("", 1))
            self.assertIn(b"Address already in use", process.stderr.read())

    def test_wrong_usage_is_told(self):
        for arguments, says in (
            ((), "a module is needed"),
            (("a.py", "--port", "1", "--listen", "x:1"), "exclude each other"),
            (("a.py", "--adapter", "b.C"), "exclude each other"),
        ):
            process, line = standalone(self, *arguments)
            self.assertEqual(process.wait(TIMEOUT_SECONDS), 2)
            self.assertIn(says, process.stderr.read().decode())

    def test_the_token_guards_this_service_too(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("secret")
            file.flush()
            _, address = standalone(self, write_module(self, MODULE), "--listen", "127.0.0.1:0", "--token-file", file.name)
        with grpc.insecure_channel(address) as channel:
            stub = SnakepitBridgeStub(channel)
            with self.assertRaises(grpc.RpcError) as caught:
                stub.Health(pb.HealthRequest())
            self.assertEqual(caught.exception.code(), grpc.StatusCode.UNAUTHENTICATED)
            metadata = (("authorization", "Bearer secret"),)
            self.assertTrue(stub.Health(pb.HealthRequest(), metadata=metadata).healthy)

    def test_a_launched_worker_serves_it_beside(self):
        host = Host(self, write_module(self, MODULE))
        stub = SnakepitBridgeStub(host.channel)
        response = stub.Execute(pb.ExecuteRequest(command="give", args={"what": b"scalar"}), metadata=host.metadata)
        self.assertEqual(response.result["result"], b"5")
