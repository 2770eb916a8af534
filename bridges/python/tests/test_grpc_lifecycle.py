"""From launch to end over gRPC: offers, addresses, tokens, TLS, hosts that come and go, shutting down."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from . import certificates
from .grpc_host import TOKEN, Connection, Host, Launched, pb, private_folder, standalone
from .host import TIMEOUT_SECONDS, has_ended, worker_environment, write_module

MODULE = '''
    import asyncio, logging, os, subprocess, sys, time, warnings
    from snakepit_bridge import ToolError, command, on_session_close, on_session_open, on_shutdown, on_start

    state = []
    logging.getLogger().setLevel(logging.INFO)

    @on_start
    async def warm_up():
        state.append("started")
        logging.getLogger("app").info("starting")

    @on_shutdown
    def clean_up():
        logging.getLogger("app").info("ending")
        print("cleaned up")

    @on_session_open
    def opened(session):
        state.append("open %s" % session.id)

    @on_session_close
    def closed(session):
        state.append("close %s" % session.id)

    @command
    def get_state():
        return state

    @command
    async def get_state_async():
        return state

    @command
    def echo(value=None):
        return value

    @command
    def busy_loop(ctx):
        ctx.progress(None)
        while True:
            pass

    @command
    def block(ctx):
        try:
            ctx.progress(None)
            while not os.path.exists(os.path.join(os.path.dirname(__file__), "go")):
                time.sleep(0.001)
            return "unblocked"
        finally:
            print("finally")

    @command
    async def wait(ctx):
        try:
            ctx.progress(None)
            await asyncio.sleep(60)
        finally:
            print("async finally")

    @command
    async def short(ctx):
        ctx.progress(None)
        await asyncio.sleep(0.05)
        return "done"

    @command
    def stream():
        try:
            while True:
                yield 1
        finally:
            print("stream closed")

    @command
    def grandchild():
        return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid

    @command
    def logs(ctx):
        logging.getLogger("app.models").warning("value %d", 5)
        warnings.warn("old")
        ctx.log.info("mine", rows=3, odd=object())

    @command
    async def logs_async():
        await asyncio.sleep(0)
        logging.getLogger("app").error("from async")

    @command
    def counts(ctx):
        return ctx.session.update("n", lambda n: n + 1, 0)

    @command
    async def counts_async(ctx):
        return await ctx.session.aupdate("n", lambda n: n + 1, 0)

    @command
    def tool(ctx):
        try:
            ctx.tools.price_of(sku="x")
        except ToolError as error:
            return [error.type, error.message, error.data]

    @command
    async def tool_async(ctx):
        try:
            await ctx.tools.price_of(sku="x")
        except ToolError as error:
            return [error.type, error.message, error.data]

    @command
    def swallows(ctx):
        ctx.progress(None)
        try:
            return ctx.session.get("n")
        except Exception as error:
            state.append(type(error).__name__)
            raise

    @command
    def descriptors():
        script = """if True:
            import os
            folder = "/proc/self/fd/"
            print([os.readlink(folder + name) for name in os.listdir(folder) if os.path.lexists(folder + name)])
            print(os.environ.get("SNAKEPIT_FD"), os.environ.get("GRPC_ENABLE_FORK_SUPPORT"))
        """
        print("to stdout")
        return subprocess.check_output([sys.executable, "-c", script], close_fds=False, text=True)

    @command
    def spawns(count):
        import multiprocessing
        with multiprocessing.get_context("spawn").Pool(2) as pool:
            return pool.map(abs, range(-count, 0))
'''


def health(connection, service=""):
    stub = health_pb2_grpc.HealthStub(connection.channel)
    reply = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=TIMEOUT_SECONDS)
    return health_pb2.HealthCheckResponse.ServingStatus.Name(reply.status)


class Launching(unittest.TestCase):
    def setUp(self):
        self.path = write_module(self, MODULE)

    def refusal(self, **offer):
        launched = Launched(self, self.path, **offer)
        error = launched.answer()["error"]
        self.assertEqual(launched.wait(), 1)
        return error

    def test_a_unix_socket_is_private(self):
        host = Host(self, self.path)
        self.assertTrue(host.address.startswith("unix:/"))
        self.assertEqual(os.stat(host.address[5:]).st_mode & 0o777, 0o600)

    def test_the_system_picks_a_port(self):
        host = Host(self, self.path, listen=["127.0.0.1:0"])
        self.assertRegex(host.address, r"^127\.0\.0\.1:[1-9]\d+$")
        self.assertEqual(host.call(1, "echo", [5]).value, 5)

    def test_the_first_free_address_of_the_list_is_taken(self):
        with socket.socket() as taken, socket.socket() as free:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            free.bind(("127.0.0.1", 0))
            ports = [taken.getsockname()[1], free.getsockname()[1]]
            free.close()
            host = Host(self, self.path, listen=["127.0.0.1:%d" % port for port in ports])
        self.assertEqual(host.address, "127.0.0.1:%d" % ports[1])

    def test_two_workers_never_share_a_port_nor_a_path(self):
        first = Host(self, self.path, listen=["localhost:0"])
        error = self.refusal(listen=[first.address, first.address])
        self.assertEqual(error["code"], "ADDRESS_UNAVAILABLE")
        self.assertEqual(error["message"].count("%s: Address already in use" % first.address), 2)
        first = Host(self, self.path)
        error = self.refusal(listen=[first.address])
        self.assertIn("another process listens there", error["message"])
        self.assertEqual(first.call(1, "echo", [5]).value, 5)

    def test_workers_started_at_once_from_one_list_find_their_ports(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            base = probe.getsockname()[1]
        addresses = ["127.0.0.1:%d" % port for port in range(base, base + 30)]
        launched = [Launched(self, self.path, listen=addresses) for _ in range(6)]
        self.assertEqual(len({each.answer()["listening"] for each in launched}), 6)

    def test_a_socket_left_over_is_replaced(self):
        path = os.path.join(private_folder(self), "worker.sock")
        with socket.socket(socket.AF_UNIX) as old:
            old.bind(path)
        self.assertEqual(Host(self, self.path, listen=["unix:" + path]).call(1, "echo", [5]).value, 5)

    def test_bad_addresses_are_named_with_the_reason(self):
        folder = private_folder(self)
        error = self.refusal(listen=["unix:%s/none/worker.sock" % folder, "nonsense", "unix:relative", "unix:/" + "x" * 200])
        self.assertEqual(error["code"], "ADDRESS_UNAVAILABLE")
        for says in ("none does not exist", "nonsense: not of the form", "must be absolute", "too long"):
            self.assertIn(says, error["message"])
        self.assertEqual(len(error["message"].splitlines()), 5)

    def test_a_module_that_cannot_be_loaded_says_why(self):
        launched = Launched(self, write_module(self, "import missing_module"))
        error = launched.answer()["error"]
        self.assertEqual((error["code"], error["type"]), ("REMOTE_ERROR", "ModuleNotFoundError"))
        self.assertIn("handlers.py", error["traceback"])
        self.assertEqual(launched.wait(), 1)

    def test_a_malformed_offer_is_a_protocol_error(self):
        launched = Launched(self, self.path, token="")
        self.assertEqual(launched.wait(), 70)
        self.assertIn("malformed offer", launched.output()[1])

    def test_missing_grpcio_is_named_with_the_remedy(self):
        script = "import sys; sys.modules['grpc'] = None; from snakepit_bridge.grpc.__main__ import main; main()"
        command = [sys.executable, "-c", script, self.path, "--no-token"]
        ran = subprocess.run(command, env=worker_environment(), capture_output=True, text=True)
        self.assertEqual(ran.returncode, 1)
        self.assertIn("pip install 'snakepit-bridge[grpc]'", ran.stderr)

    def test_the_end_of_the_host_ends_a_worker_that_is_still_loading(self):
        launched = Launched(self, write_module(self, "import time\nprint('loading', flush=True)\ntime.sleep(60)\n"))
        self.assertEqual(launched.process.stdout.readline(), b"loading\n")
        launched.lifeline.shutdown(socket.SHUT_RDWR)
        self.assertEqual(launched.wait(), -signal.SIGKILL)

    def test_the_end_of_the_host_ends_a_spinning_worker_and_its_grandchildren(self):
        host = Host(self, self.path)
        grandchild = host.call(1, "grandchild").value
        host.start(2, "busy_loop")
        host.wait_for("progress")
        host.launched.lifeline.shutdown(socket.SHUT_RDWR)
        self.assertEqual(host.wait(), -signal.SIGKILL)
        self.assertTrue(has_ended(grandchild))

    def test_nothing_is_inherited_by_children(self):
        host = Host(self, self.path)
        child = host.call(1, "descriptors").value
        self.assertNotIn("socket:", child)
        self.assertIn("None", child)
        host.send(shutdown=pb.Shutdown())
        self.assertEqual(host.wait(), 0)
        self.assertEqual(host.output(), ("to stdout\ncleaned up\n", ""))

    def test_commands_may_use_other_processes(self):
        host = Host(self, self.path)
        self.assertEqual(host.call(1, "spawns", [4]).value, [4, 3, 2, 1])
        self.assertEqual(host.call(2, "echo", [5]).value, 5)


class Admission(unittest.TestCase):
    def setUp(self):
        self.path = write_module(self, MODULE)

    def check_unauthenticated(self, connection):
        answer = connection.call(0, "echo")
        self.assertEqual((answer.status, answer.failure), (grpc.StatusCode.UNAUTHENTICATED, None))
        with self.assertRaises(grpc.RpcError) as caught:
            list(connection.stream(0, "stream"))
        self.assertEqual(caught.exception.code(), grpc.StatusCode.UNAUTHENTICATED)
        with self.assertRaises(AssertionError):
            connection.attach()
        self.assertEqual(connection.wait_for_end(), grpc.StatusCode.UNAUTHENTICATED)

    def test_the_token_must_be_shown(self):
        host = Host(self, self.path)
        for token in (None, "", "wrong", TOKEN + "x", TOKEN[:-1]):
            self.check_unauthenticated(Connection(self, host.address, token=token))
        self.assertEqual(host.call(1, "echo", [5]).value, 5)

    def test_health_needs_no_token(self):
        host = Host(self, self.path)
        stranger = Connection(self, host.address, token=None)
        self.assertEqual(health(stranger), "SERVING")
        self.assertEqual(health(stranger, "snakepit.v2.Worker"), "SERVING")
        with self.assertRaises(grpc.RpcError) as caught:
            health(stranger, "nothing")
        self.assertEqual(caught.exception.code(), grpc.StatusCode.NOT_FOUND)

    def test_an_unknown_method_is_unimplemented(self):
        host = Host(self, self.path)
        call = host.channel.unary_unary("/snakepit.v2.Worker/Nothing")
        with self.assertRaises(grpc.RpcError) as caught:
            call(b"", metadata=host.metadata)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.UNIMPLEMENTED)

    def test_reflection_is_optional_and_behind_the_token(self):
        def services(host, metadata):
            stub = reflection_pb2_grpc.ServerReflectionStub(host.channel)
            request = reflection_pb2.ServerReflectionRequest(list_services="")
            reply = next(iter(stub.ServerReflectionInfo(iter([request]), metadata=metadata)))
            return {service.name for service in reply.list_services_response.service}

        host = Host(self, self.path, reflection=True)
        self.assertLessEqual({"snakepit.v2.Worker", "snakepit.SnakepitBridge", "grpc.health.v1.Health"}, services(host, host.metadata))
        for refused, metadata in ((host, ()), (Host(self, self.path), host.metadata)):
            with self.assertRaises(grpc.RpcError):
                services(refused, metadata)

    def test_mutual_tls(self):
        ours, strange = certificates.authority(), certificates.authority()
        server, client = ours.issue("snakepit-worker"), ours.issue("host")
        offer = {"certificate": server.certificate, "key": server.key, "clientCa": ours.certificate}
        launched = Launched(self, self.path, listen=["127.0.0.1:0"], tls=offer)
        address = launched.answer()["listening"]

        def connect(identity, root):
            credentials = grpc.ssl_channel_credentials(
                root.encode(), identity and identity.key.encode(), identity and identity.certificate.encode()
            )
            options = (("grpc.ssl_target_name_override", "snakepit-worker"),)
            return Connection(self, address, credentials=credentials, options=options)

        self.assertEqual(connect(client, ours.certificate).attach().call(1, "echo", [5]).value, 5)
        for identity, root in (
            (None, ours.certificate),
            (strange.issue("host"), ours.certificate),
            (ours.issue("host", is_expired=True), ours.certificate),
            (client, strange.certificate),
        ):
            self.assertEqual(connect(identity, root).call(0, "echo").status, grpc.StatusCode.UNAVAILABLE)
        self.assertEqual(Connection(self, address).call(0, "echo").status, grpc.StatusCode.UNAVAILABLE)

    def test_certificates_that_make_no_sense_are_refused(self):
        launched = Launched(self, self.path, listen=["127.0.0.1:0"], tls={"certificate": "x", "key": "y", "clientCa": "z"})
        error = launched.answer()["error"]
        self.assertEqual(error["code"], "ADDRESS_UNAVAILABLE")
        self.assertIn("PEM", error["message"])

    def test_a_hello_with_nothing_in_common_is_refused(self):
        host = Host(self, self.path)
        host.hang_up()
        self.assertEqual(host.wait_for_end(), grpc.StatusCode.OK)
        for hello in ({"protocol": [3]}, {"codecs": ["cbor"]}):
            with self.assertRaises(AssertionError):
                host.attach(**hello)
            self.assertEqual(host.wait_for_end(), grpc.StatusCode.FAILED_PRECONDITION)
        self.assertEqual(host.attach().attachment, 2)

    def test_a_control_stream_must_begin_with_a_hello(self):
        host = Host(self, self.path)
        host.hang_up()
        host.wait_for_end()
        for batches in ([], [pb.HostBatch()], [pb.HostBatch(messages=[pb.HostMessage(ping=pb.Ping(id=1))])]):
            with self.assertRaises(grpc.RpcError) as caught:
                list(host.stub.Attach(iter(batches), metadata=host.metadata))
            self.assertEqual(caught.exception.code(), grpc.StatusCode.FAILED_PRECONDITION)

    def test_a_launched_worker_has_one_host(self):
        host = Host(self, self.path)
        with self.assertRaises(AssertionError):
            Connection(self, host.address).attach()
        self.assertEqual(host.call(1, "echo", [5]).value, 5)

    def test_callers_without_an_attachment_are_served_in_json(self):
        host = Host(self, self.path)
        caller = Connection(self, host.address)
        self.assertEqual([caller.call(0, "echo", [n]).value for n in (1, 2)], [1, 2])
        items = caller.stream(0, "stream")
        self.assertEqual(sum(len(next(items).chunks) > 0 for _ in range(100)), 100)
        items.cancel()
        answer = caller.call(0, "counts", session="s")
        self.assertEqual((answer.failure.code, answer.failure.type), ("REMOTE_ERROR", "HostError"))
        self.assertIn("without a control stream", answer.failure.message)


class Hosts(unittest.TestCase):
    """What passes between a worker and its host, or several."""

    def setUp(self):
        self.path = write_module(self, MODULE)

    def standalone(self, *arguments):
        return standalone(self, self.path, "--listen", "127.0.0.1:0", *(arguments or ("--no-token",)))

    def serve_session(self, host, data):
        read = host.wait_for("host_call")
        args = host.value(read.args)
        self.assertEqual((read.method, args["map"], args["key"]), ("session.read", "metadata", "n"))
        host.answer(read, {"found": "n" in data, "value": data.get("n"), "revision": 1})
        write = host.wait_for("host_call")
        data["n"] = host.value(write.args)["value"]
        host.answer(write, {"written": True, "revision": 2})
        return read.call

    def test_session_data_is_asked_of_the_host(self):
        host, data = Host(self, self.path), {"n": 41}
        for number, name in ((5, "counts"), (6, "counts_async")):
            future = host.start(number, name, session="s")
            self.assertEqual(self.serve_session(host, data), number)
            self.assertEqual(host.finish(future).value, data["n"])
        self.assertEqual(data, {"n": 43})

    def test_a_refusal_of_the_host_reaches_the_command(self):
        host = Host(self, self.path)
        future = host.start(1, "counts", session="s")
        asked = host.wait_for("host_call")
        failure = pb.Failure(code="SESSION_NOT_FOUND", message="gone")
        host.send(host_reply=pb.HostReply(id=asked.id, failure=failure))
        answer = host.finish(future)
        self.assertEqual((answer.failure.type, host.value(answer.failure.data)), ("HostError", {"code": "SESSION_NOT_FOUND"}))

    def test_what_a_tool_of_the_host_raised_reaches_the_command_with_its_data(self):
        host = Host(self, self.path)
        for number, name, concurrent in ((1, "tool", None), (2, "tool_async", True)):
            future = host.start(number, name)
            asked = host.wait_for("host_call")
            args = host.value(asked.args)
            self.assertEqual((asked.method, asked.call, args.get("concurrent")), ("tool.call", number, concurrent))
            flags, body = host.codec.encode_apart({"status": 404})
            data = pb.Body(data=body, tagged=bool(flags & 0x80))
            failure = pb.Failure(code="REMOTE_ERROR", type="NotFoundException", message="none", data=data)
            host.send(host_reply=pb.HostReply(id=asked.id, failure=failure))
            self.assertEqual(host.finish(future).value, ["NotFoundException", "none", {"status": 404}])

    def test_session_hooks_run(self):
        host = Host(self, self.path)
        host.call(1, "echo", session="a")
        host.call(2, "get_state_async", session="b")
        host.call(3, "echo", session="a")
        host.send(session_closed=pb.SessionClosed(session="a"))
        host.send(session_closed=pb.SessionClosed(session="unknown"))
        host.send(ping=pb.Ping(id=1))
        host.wait_for("pong")
        self.assertEqual(host.call(4, "get_state").value, ["started", "open a", "open b", "close a"])

    def test_log_records_reach_the_host(self):
        host = Host(self, self.path)
        starting = host.wait_for("log")
        self.assertEqual((starting.call, starting.level, starting.message, starting.logger), (0, "info", "starting", "app"))
        answer = host.call(1, "logs")
        records = [host.wait_for("log", lambda log: log.call == 1) for _ in range(answer.reply.notices)]
        self.assertEqual(
            [(each.level, each.message, each.logger) for each in records],
            [("warn", "value 5", "app.models"), ("warn", "old", "py.warnings"), ("info", "mine", "logs")],
        )
        self.assertEqual(host.value(records[2].fields)["rows"], "3")
        self.assertEqual(host.call(2, "logs_async").reply.notices, 1)
        self.assertEqual(host.wait_for("log", lambda log: log.call == 2).level, "error")

    def test_two_hosts_have_calls_of_their_own(self):
        _, address = self.standalone()
        one, two = Connection(self, address, token=None).attach("json"), Connection(self, address, token=None).attach("json")
        self.assertNotEqual(one.attachment, two.attachment)
        waits = [host.start(7, "wait") for host in (one, two)]
        for host in (one, two):
            self.assertEqual(host.wait_for("progress").call, 7)
        one.send(cancel=pb.Cancel(call=7))
        self.assertEqual(one.finish(waits[0]).failure.code, "CANCELLED")
        self.assertFalse(waits[1].done())
        future = two.start(8, "counts_async", session="s")
        self.serve_session(two, {})
        self.assertEqual(two.finish(future).value, 1)
        one.send(session_closed=pb.SessionClosed(session="s"))
        one.send(ping=pb.Ping(id=1))
        one.wait_for("pong")
        self.assertNotIn("close s", two.call(9, "get_state").value)

    def test_the_loss_of_a_control_stream_cancels_its_calls_and_closes_its_sessions(self):
        _, address = self.standalone()
        one, two = Connection(self, address, token=None).attach(), Connection(self, address, token=None).attach()
        running, waiting = one.start(1, "wait", session="a"), one.start(2, "swallows", session="b")
        one.wait_for("progress", lambda each: each.call == 1)
        one.wait_for("progress", lambda each: each.call == 2)
        one.wait_for("host_call")
        queued = one.start(3, "echo")
        one.call(4, "get_state_async")  # what came before it is there
        one.control.cancel()
        for future in (running, waiting, queued):
            self.assertEqual(one.finish(future).failure.code, "CANCELLED")
        state = two.call(1, "get_state").value
        self.assertEqual(state[:4] + sorted(state[4:]), ["started", "open a", "open b", "Cancelled", "close a", "close b"])
        self.assertEqual(one.call(5, "echo").status, grpc.StatusCode.FAILED_PRECONDITION)

    def test_a_host_that_attaches_again_gets_another_number(self):
        host = Host(self, self.path)
        host.hang_up()
        self.assertEqual(host.wait_for_end(), grpc.StatusCode.OK)
        self.assertEqual(host.attach().attachment, 2)
        self.assertEqual(host.call(1, "echo", [5]).value, 5)

    def test_a_worker_of_somebody_else_ignores_shutdown(self):
        _, address = self.standalone()
        host = Connection(self, address, token=None).attach()
        host.send(shutdown=pb.Shutdown())
        host.send(ping=pb.Ping(id=1))
        host.wait_for("pong")
        self.assertEqual((host.call(1, "echo", [5]).value, health(host)), (5, "SERVING"))

    def test_a_worker_of_somebody_else_may_ask_for_a_token(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("secret\n")
            file.flush()
            _, address = self.standalone("--token-file", file.name)
        self.assertEqual(Connection(self, address, token="wrong").call(0, "echo").status, grpc.StatusCode.UNAUTHENTICATED)
        self.assertEqual(Connection(self, address, token="secret").call(0, "echo", [5]).value, 5)

    def test_library_commands_are_served_beside_those_of_a_module_or_alone(self):
        for module, others in ((self.path, {"echo"}), (None, set())):
            arguments = ([] if module is None else [module]) + ["--listen", "127.0.0.1:0", "--no-token", "--enhanced", '{"allow": ["math"]}']
            _, address = standalone(self, *arguments)
            host = Connection(self, address, token=None).attach()
            self.assertLessEqual({"python.call"} | others, set(host.index))
            self.assertEqual(host.call(1, "python.call", {"target": "math.sqrt", "args": [16]}).value, {"value": 4.0})
            refused = host.call(2, "python.call", {"target": "os.getcwd"})
            self.assertEqual(refused.failure.code, "INVALID_ARGUMENTS")

    def test_settings_of_library_commands_that_make_no_sense_are_refused(self):
        for text, reason in (("[]", b"JSON object"), ('{"alow": []}', b"no setting alow")):
            process, _ = standalone(self, "--listen", "127.0.0.1:0", "--no-token", "--enhanced", text)
            self.assertEqual(process.wait(TIMEOUT_SECONDS), 1)
            self.assertIn(reason, process.stderr.read())
        process, _ = standalone(self, "--port", "0", "--enhanced", "{}")
        self.assertEqual(process.wait(TIMEOUT_SECONDS), 2)
        self.assertIn(b"not with --adapter or --port", process.stderr.read())

    def test_a_host_that_has_several_calls_in_hand_is_told_which_commands_run_alone(self):
        _, address = self.standalone()
        told = Connection(self, address, token=None).attach(concurrency=8).hello.commands
        alone = {command.name for command in told if command.HasField("concurrent") and not command.concurrent}
        self.assertLessEqual({"echo", "block"}, alone)
        self.assertFalse({"wait", "get_state_async"} & alone)
        untold = Connection(self, address, token=None).attach().hello.commands
        self.assertFalse(any(command.HasField("concurrent") for command in untold))

    def test_a_lower_limit_of_the_worker_is_told(self):
        _, address = self.standalone("--no-token", "--max-frame-bytes", "1000")
        host = Connection(self, address, token=None).attach()
        self.assertEqual(host.hello.max_frame_bytes, 1000)
        self.assertEqual(host.call(1, "echo", ["x" * 999]).failure.code, "FRAME_TOO_LARGE")


class Ending(unittest.TestCase):
    def setUp(self):
        self.path = write_module(self, MODULE)

    def go(self):
        with open(os.path.join(os.path.dirname(self.path), "go"), "w"):
            pass

    def test_shutdown_finishes_the_calls_at_hand_and_refuses_others(self):
        host = Host(self, self.path)
        running = host.start(1, "block")
        host.wait_for("progress")
        short = host.start(2, "short")
        host.wait_for("progress")
        host.send(shutdown=pb.Shutdown())
        host.send(ping=pb.Ping(id=1))
        host.wait_for("pong")
        self.assertEqual(host.call(3, "echo").status, grpc.StatusCode.UNAVAILABLE)
        self.assertEqual(health(host), "NOT_SERVING")
        self.go()
        self.assertEqual((host.finish(running).value, host.finish(short).value), ("unblocked", "done"))
        self.assertEqual(host.wait_for_end(), grpc.StatusCode.OK)
        self.assertEqual(host.left("log")[-1].message, "ending")
        self.assertEqual(host.wait(), 0)
        self.assertEqual(host.output(), ("finally\ncleaned up\n", ""))

    def check_sigterm(self, name, expected):
        host = Host(self, self.path)
        if name == "stream":
            next(host.stream(1, name))
        else:
            host.start(1, name)
            host.wait_for("progress")
        host.process.send_signal(signal.SIGTERM)
        self.assertEqual(host.wait(), 0)
        self.assertEqual(host.output(), (expected + "cleaned up\n", ""))

    def test_sigterm_interrupts_a_command_and_cleans_up(self):
        self.check_sigterm("block", "finally\n")

    def test_sigterm_cancels_asynchronous_commands(self):
        self.check_sigterm("wait", "async finally\n")

    def test_sigterm_closes_streams(self):
        self.check_sigterm("stream", "stream closed\n")

    def test_sigterm_ends_an_idle_worker(self):
        host = Host(self, self.path)
        host.process.send_signal(signal.SIGTERM)
        self.assertEqual(host.wait(), 0)
        self.assertEqual(host.wait_for_end(), grpc.StatusCode.OK)

    def standalone(self, *arguments):
        process, address = standalone(self, self.path, "--no-token", "--listen", "127.0.0.1:0", *arguments)
        return process, Connection(self, address, token=None).attach()

    def test_sigterm_lets_the_calls_of_a_worker_of_somebody_else_end(self):
        process, host = self.standalone()
        running = host.start(1, "block")
        host.wait_for("progress")
        process.send_signal(signal.SIGTERM)
        watch = health_pb2_grpc.HealthStub(host.channel).Watch(health_pb2.HealthCheckRequest())
        while next(watch).status != health_pb2.HealthCheckResponse.NOT_SERVING:
            pass
        self.assertEqual(host.call(2, "echo").status, grpc.StatusCode.UNAVAILABLE)
        self.assertFalse(running.done())
        self.go()
        self.assertEqual(host.finish(running).value, "unblocked")
        watch.cancel()
        self.assertEqual((host.wait_for_end(), process.wait(TIMEOUT_SECONDS)), (grpc.StatusCode.OK, 0))

    def check_interrupted(self, process, host, signals):
        host.start(1, "block")
        host.wait_for("progress")
        for _ in range(signals):
            process.send_signal(signal.SIGTERM)
            watch = health_pb2_grpc.HealthStub(host.channel).Watch(health_pb2.HealthCheckRequest())
            try:
                while next(watch).status != health_pb2.HealthCheckResponse.NOT_SERVING:
                    pass
                watch.cancel()
            except grpc.RpcError:
                pass  # the second has ended it
        self.assertEqual(process.wait(TIMEOUT_SECONDS), 0)
        self.assertEqual(process.stdout.read(), b"finally\ncleaned up\n")

    def test_a_second_sigterm_interrupts_them(self):
        self.check_interrupted(*self.standalone(), signals=2)

    def test_they_are_interrupted_after_a_while(self):
        self.check_interrupted(*self.standalone("--drain-seconds", "0.2"), signals=1)

    def test_a_command_that_exits_takes_no_longer_because_of_its_callers(self):
        host = Host(self, self.path)
        watch = health_pb2_grpc.HealthStub(host.channel).Watch(health_pb2.HealthCheckRequest())
        next(watch)
        running = host.start(1, "block")
        host.wait_for("progress")
        waiting = host.start(2, "echo")
        host.call(3, "get_state_async")  # what came before it is there
        began = time.monotonic()
        host.process.send_signal(signal.SIGTERM)
        for future in (running, waiting):
            self.assertEqual(host.finish(future).status, grpc.StatusCode.UNAVAILABLE)
        self.assertEqual(host.wait(), 0)
        self.assertLess(time.monotonic() - began, 1.5)

    def test_sigint_is_left_to_the_host(self):
        host = Host(self, self.path)
        host.process.send_signal(signal.SIGINT)
        self.assertEqual(host.call(1, "echo", [5]).value, 5)

    def test_sigint_ends_a_worker_of_somebody_else(self):
        process, host = self.standalone()
        process.send_signal(signal.SIGINT)
        self.assertEqual((host.wait_for_end(), process.wait(TIMEOUT_SECONDS)), (grpc.StatusCode.OK, 0))

    def test_a_signal_that_another_thread_gets_is_noticed(self):
        host = Host(self, self.path)
        host.call(1, "echo")
        threads = [int(name) for name in os.listdir("/proc/%d/task" % host.process.pid)]
        other = next(thread for thread in sorted(threads, reverse=True) if thread != host.process.pid)
        tgkill(host.process.pid, other, signal.SIGTERM)
        self.assertEqual(host.wait(), 0)


def tgkill(process, thread, number):
    """Send a signal to one thread of another process, for which Python has no function."""
    if ctypes.CDLL(None).tgkill(process, thread, number):
        raise OSError("the signal was not sent")
