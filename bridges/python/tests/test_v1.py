"""Protocol v1, and code written for the ancestor."""


import subprocess
import sys
import unittest


from snakepit_bridge.v1.channel import Channel
from snakepit_bridge.v2 import frame as f

from . import require_msgpack
from .guard import guard
from .host import TIMEOUT_SECONDS, Host, worker_environment, write_module

MODULE = '''
    from snakepit_bridge import command
    import asyncio

    @command
    def add(a, b):
        print("noise")
        return {"sum": a + b}

    @command
    async def later(ctx):
        await asyncio.sleep(0)
        ctx.log.info("note", x=1)
        return [ctx.session, ctx.cancelled]

    @command
    def fail():
        error = KeyError("k")
        error.data = {"k": 1}
        raise error

    @command
    def stream():
        yield 1

    @command
    def binary():
        return b"ab"
'''

ANCESTOR = '''
    from snakepit_bridge import BaseCommandHandler, ProtocolHandler
    from snakepit_bridge.core import setup_graceful_shutdown, setup_broken_pipe_suppression

    class MyHandler(BaseCommandHandler):
        def _register_commands(self):
            self.register_command("ping", self.handle_ping)
            self.register_command("numbers", self.handle_numbers)

        def handle_ping(self, args):
            return {"status": "ok", "echo": args, "count": self.request_count, "bridge_type": "mine"}

        def handle_numbers(self, args):
            for i in range(args["n"]):
                yield i

        def get_supported_commands(self):
            return super().get_supported_commands() + ["chunks"]

        def process_stream_command(self, command, args):
            if command != "chunks":
                yield from super().process_stream_command(command, args)
                return
            yield {"data": {"i": 0}, "is_final": False}
            yield {"data": {"i": 1}, "is_final": True}
            yield {"data": {"i": 2}, "is_final": False}

    def main():
        setup_broken_pipe_suppression()
        command_handler = MyHandler()
        protocol_handler = ProtocolHandler(command_handler, protocol="json", quiet=True)
        setup_graceful_shutdown(protocol_handler)
        protocol_handler.run()

    if __name__ == "__main__":
        main()
'''


class Bridge:
    """A worker that speaks v1 on its stdin and stdout."""

    def __init__(self, test, command_line, codec="json"):
        self.process = guard().spawn(
            command_line,
            env=worker_environment(SNAKEPIT_PROTOCOL="v1"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.channel = Channel(self.process.stdout, self.process.stdin, codec)
        test.addCleanup(self.close)

    def ask(self, number, command, args=None):
        self.channel.write({"id": number, "command": command, "args": args, "timestamp": "2026-01-31T12:00:00.000Z"})
        reply = self.channel.read()
        if reply["id"] != number or not isinstance(reply["timestamp"], str):
            raise AssertionError("unexpected reply %r" % reply)
        return reply

    def end(self):
        """End the input; returns exit status and stderr."""
        self.process.stdin.close()
        status = self.process.wait(TIMEOUT_SECONDS)
        return status, self.process.stderr.read().decode()

    def close(self):
        guard().end(self.process)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                stream.close()
            except BrokenPipeError:
                pass


def worker(path, *options):
    return [sys.executable, "-m", "snakepit_bridge.worker", "--module", path, *options]


class V1(unittest.TestCase):
    codec = "json"

    def setUp(self):
        path = write_module(self, MODULE)
        self.bridge = Bridge(self, worker(path, "--protocol", self.codec), self.codec)

    def test_calls_are_answered_and_the_end_of_the_input_ends_the_worker(self):
        reply = self.bridge.ask(1, "add", {"a": 1, "b": 2})
        self.assertEqual((reply["success"], reply["result"]), (True, {"sum": 3}))
        self.assertEqual(self.bridge.ask(2, "later")["result"], [None, False])
        status, stderr = self.bridge.end()
        self.assertEqual(status, 0)
        self.assertIn("noise", stderr)
        self.assertIn("INFO later: note x=1", stderr)

    def test_ping_is_built_in(self):
        self.assertEqual(self.bridge.ask(1, "ping", {})["result"]["status"], "ok")

    def test_the_first_reply_alone_tells_how_to_ask_for_stacks(self):
        self.assertEqual(self.bridge.ask(1, "fail")["stackSignal"], "SIGUSR1")
        self.assertNotIn("stackSignal", self.bridge.ask(2, "later"))

    def test_errors_carry_details(self):
        expected = {"fail": "REMOTE_ERROR", "missing": "UNKNOWN_COMMAND", "add": "INVALID_ARGUMENTS", "stream": "INVALID_ARGUMENTS"}
        for number, (command, code) in enumerate(expected.items(), 1):
            reply = self.bridge.ask(number, command, {})
            self.assertEqual((reply["success"], reply["error_details"]["code"]), (False, code))
            self.assertIsInstance(reply["error"], str)
        self.assertIn("streams need protocol v2", reply["error"])
        self.assertEqual(self.bridge.ask(9, "fail", {})["error_details"]["data"], {"k": 1})

    def test_binary_results_need_messagepack(self):
        reply = self.bridge.ask(1, "binary")
        if self.codec == "msgpack":
            self.assertEqual(reply["result"], b"ab")
        else:
            self.assertEqual(reply["error_details"]["code"], "INVALID_RESULT")
            self.assertIn("result: protocol v1 with JSON cannot carry", reply["error"])


class V1MessagePack(V1):
    codec = "msgpack"

    def setUp(self):
        require_msgpack()
        super().setUp()


class Negotiation(unittest.TestCase):
    def negotiate(self, *supported):
        bridge = Bridge(self, worker(write_module(self, MODULE)))
        bridge.channel.write({"type": "protocol_negotiation", "supported": list(supported), "preferred": supported[0]})
        answer = bridge.channel.read()
        self.assertEqual(answer["type"], "protocol_selected")
        bridge.channel.use(answer["protocol"])
        self.assertEqual(bridge.ask(1, "add", {"a": 1, "b": 2})["result"], {"sum": 3})
        return answer["protocol"]

    def test_messagepack_is_selected_where_both_have_it(self):
        require_msgpack()
        self.assertEqual(self.negotiate("msgpack", "json"), "msgpack")

    def test_json_is_selected_otherwise(self):
        self.assertEqual(self.negotiate("json"), "json")

    def test_a_host_that_does_not_negotiate_gets_json(self):
        bridge = Bridge(self, worker(write_module(self, MODULE)))
        self.assertTrue(bridge.ask(1, "add", {"a": 1, "b": 2})["success"])

    def test_garbage_ends_the_worker(self):
        bridge = Bridge(self, worker(write_module(self, MODULE)))
        bridge.process.stdin.write(b"GET / HTTP/1.1\r\n\r\n")
        bridge.process.stdin.flush()
        self.assertEqual(bridge.process.wait(TIMEOUT_SECONDS), 70)


class AncestorCode(unittest.TestCase):
    def setUp(self):
        self.path = write_module(self, ANCESTOR)

    def test_a_script_runs_over_v1(self):
        bridge = Bridge(self, [sys.executable, self.path])
        self.assertEqual(bridge.ask(1, "ping", {"x": 1})["result"]["echo"], {"x": 1})
        reply = bridge.ask(2, "unheard-of", {})
        self.assertEqual((reply["success"], reply["error_details"]["code"]), (False, "UNKNOWN_COMMAND"))
        self.assertEqual(bridge.end(), (0, ""))

    def check_v2(self, host):
        kinds = {each["name"]: each["kind"] for each in host.hello["commands"]}
        self.assertEqual(kinds, {"ping": "call", "numbers": "stream", "chunks": "stream"})
        self.assertEqual(host.result(1, "ping", {"x": 1})["bridge_type"], "mine")
        host.call(2, "numbers", {"n": 2}, stream=True)
        self.assertEqual([host.receive().body for _ in range(3)], [0, 1, None])
        host.call(3, "chunks", {}, stream=True)
        self.assertEqual([host.receive().body for _ in range(3)], [{"i": 0}, {"i": 1}, None])
        self.assertEqual(host.error(4, "unheard-of", {}, meta={"command": "unheard-of"})["code"], "UNKNOWN_COMMAND")
        host.send(f.SHUTDOWN)
        self.assertEqual(host.wait(), 0)

    def test_a_script_runs_over_v2(self):
        self.check_v2(Host(self, None, command_line=[sys.executable, self.path]))

    def test_a_handler_class_in_a_module_is_served(self):
        self.check_v2(Host(self, self.path))


class ConsoleScripts(unittest.TestCase):
    def run_script(self, name, *options):
        return [sys.executable, "-m", "snakepit_bridge.cli." + name, *options]

    def test_the_generic_bridge_serves_the_basic_commands(self):
        bridge = Bridge(self, self.run_script("generic", "--mode", "pool-worker", "--protocol", "json", "--quiet"))
        self.assertEqual(bridge.ask(1, "ping", {})["result"]["bridge_type"], "generic")
        self.assertEqual(bridge.ask(2, "echo", {"a": [1]})["result"]["echoed"], {"a": [1]})
        for operation, result in (("add", 8), ("subtract", 4), ("multiply", 12), ("divide", 3)):
            self.assertEqual(bridge.ask(3, "compute", {"operation": operation, "a": 6, "b": 2})["result"]["result"], result)
        self.assertEqual(bridge.ask(4, "compute", {"operation": "divide", "a": 1, "b": 0})["result"]["status"], "error")
        self.assertEqual(
            bridge.ask(5, "info", {})["result"]["bridge_info"]["supported_commands"], ["ping", "echo", "compute", "info"]
        )
        self.assertEqual(bridge.end(), (0, ""))

    def test_the_custom_bridge_adds_its_own(self):
        bridge = Bridge(self, self.run_script("custom", "--quiet"))
        self.assertTrue(bridge.ask(1, "hash", {"text": "a"})["result"]["hash"].startswith("ca978112"))
        self.assertEqual(bridge.ask(2, "encode", {"text": "a"})["result"]["result"], "YQ==")
        self.assertEqual(bridge.ask(3, "ping", {})["result"]["bridge_type"], "custom")
        self.assertEqual(bridge.ask(4, "custom_info", {})["result"]["additional_commands"], ["hash", "encode", "custom_info"])

    def test_help_lists_the_commands(self):
        text = subprocess.check_output(self.run_script("custom", "--help"), env=worker_environment(), text=True)
        self.assertIn("custom_info", text)
        self.assertIn("--protocol", text)
