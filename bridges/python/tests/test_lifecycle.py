"""From start to end: loading, readiness, printing, logging, shutting down."""

import os
import signal
import sys
import unittest

from snakepit_bridge.v2 import frame as f

from .host import Host, write_module

HOOKS = '''
    import atexit, sys, time
    from snakepit_bridge import command, on_shutdown, on_start

    state = []

    @on_start
    async def warm_up():
        state.append("started")

    @on_shutdown
    def clean_up():
        print("cleaned up")

    atexit.register(print, "at exit")

    @command
    def get_state(ctx):
        return state

    @command
    def block(ctx):
        try:
            ctx.progress(None)
            time.sleep(60)
        finally:
            print("finally")

    @command
    def stubborn(ctx):
        try:
            ctx.progress(None)
            time.sleep(60)
        except BaseException:
            print("still here")

    @command
    async def wait(ctx):
        import asyncio
        try:
            ctx.progress(None)
            await asyncio.sleep(60)
        finally:
            print("async finally")

    @command
    async def short(ctx):
        import asyncio
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
'''


class Ending(unittest.TestCase):
    def setUp(self):
        self.host = Host(self, write_module(self, HOOKS))

    def test_hooks_run_at_start_and_shutdown(self):
        self.assertEqual(self.host.result(1, "get_state"), ["started"])
        self.host.send(f.SHUTDOWN)
        self.assertEqual(self.host.wait(), 0)
        self.assertEqual(self.host.output()[0], "cleaned up\nat exit\n")

    def test_shutdown_finishes_the_calls_at_hand(self):
        self.host.call(1, "short")
        self.host.call(2, "get_state")
        self.host.send(f.SHUTDOWN)
        self.assertEqual(self.host.receive_kind(f.RESULT, 2).body, ["started"])
        self.assertEqual(self.host.receive_kind(f.RESULT, 1).body, "done")
        self.assertEqual(self.host.wait(), 0)

    def check_sigterm(self, name, expected, **options):
        self.host.call(1, name, **options)
        self.host.receive_kind(f.CHUNK if options else f.PROGRESS)
        self.host.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.host.wait(), 0)
        self.assertEqual(self.host.output()[0], expected + "cleaned up\nat exit\n")

    def test_sigterm_interrupts_a_command_and_cleans_up(self):
        self.check_sigterm("block", "finally\n")

    def test_sigterm_ends_a_worker_whose_command_catches_everything(self):
        self.check_sigterm("stubborn", "still here\n")

    def test_sigterm_cancels_asynchronous_commands(self):
        self.check_sigterm("wait", "async finally\n")

    def test_sigterm_closes_streams(self):
        self.check_sigterm("stream", "stream closed\n", stream=True)

    def test_sigterm_ends_an_idle_worker(self):
        self.host.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.host.wait(), 0)

    def test_sigint_is_left_to_the_host(self):
        self.host.process.send_signal(signal.SIGINT)
        self.assertEqual(self.host.result(1, "get_state"), ["started"])

    def test_sigusr1_dumps_the_stack_and_the_worker_goes_on(self):
        self.host.call(1, "block")
        self.host.receive_kind(f.PROGRESS)
        self.host.process.send_signal(signal.SIGUSR1)
        self.host.send(f.PING, 1)
        self.assertEqual(self.host.receive_kind(f.PONG).id, 1)
        self.host.process.kill()
        self.assertIn("in block", self.host.output()[1])


class ProtocolErrors(unittest.TestCase):
    def check(self, *frame, says):
        host = Host(self, write_module(self, "def x(): return 1"))
        host.socket.sendall(frame[0] if isinstance(frame[0], bytes) else f.pack_frame(*frame))
        self.assertEqual(host.wait(), 70)
        self.assertIn(says, host.output()[1])

    def test_a_frame_that_is_too_large_is_refused_from_its_header(self):
        self.check(f.HEADER.pack((1 << 20) + 1, f.CALL, 0, 0, 1), says="exceeds maxFrameBytes")

    def test_an_unknown_kind_is_refused(self):
        self.check(0x7F, 1, says="0x7f")

    def test_a_kind_of_the_other_direction_is_refused(self):
        self.check(f.RESULT, 1, says="0x20")

    def test_malformed_arguments_are_refused(self):
        self.check(f.CALL, 1, 0, 0, b"{", says="malformed")

    def test_a_call_with_the_id_0_is_refused(self):
        self.check(f.CALL, 0, says="id 0")

    def test_garbage_is_refused(self):
        self.check(b"GET / HTTP/1.1\r\n\r\n", says="exceeds maxFrameBytes")


class Isolation(unittest.TestCase):
    def test_prints_and_children_do_not_touch_the_protocol(self):
        host = Host(self, write_module(self, '''
            import os, subprocess, sys
            print("while loading")
            from snakepit_bridge import command

            SCRIPT = """if True:
                import os
                folder = "/proc/self/fd/"
                print([os.readlink(folder + name) for name in os.listdir(folder) if os.path.lexists(folder + name)])
                print(os.environ.get("SNAKEPIT_FD"))
            """

            @command
            def talk():
                print("to stdout")
                print("to stderr", file=sys.stderr)
                os.write(1, b"raw\\n")
                return subprocess.check_output([sys.executable, "-c", SCRIPT], close_fds=False, text=True)
        '''))
        child = host.result(1, "talk")
        self.assertNotIn("socket:", child)
        self.assertIn("None", child)
        host.send(f.SHUTDOWN)
        host.wait()
        out, err = host.output()
        self.assertEqual(out, "while loading\nto stdout\nraw\n")
        self.assertEqual(err, "to stderr\n")

    def test_a_forked_child_leaves_the_connection_to_its_parent(self):
        host = Host(self, write_module(self, '''
            import multiprocessing
            from snakepit_bridge import command

            def square(x):
                return x * x

            @command
            def squares(count):
                with multiprocessing.get_context("fork").Pool(2) as pool:
                    return pool.map(square, range(count))
        '''))
        self.assertEqual(host.result(1, "squares", [4]), [0, 1, 4, 9])


class Logging(unittest.TestCase):
    def test_records_and_warnings_reach_the_host(self):
        host = Host(self, write_module(self, '''
            import asyncio, logging, warnings
            from snakepit_bridge import command, on_start

            logger = logging.getLogger("app.models")
            logger.setLevel(logging.DEBUG)

            @on_start
            def start():
                logger.info("starting")

            @command
            def work():
                logger.debug("value %d", 5)
                warnings.warn("old")
                try:
                    1 / 0
                except ZeroDivisionError:
                    logger.exception("failed")

            @command
            async def awork():
                await asyncio.sleep(0)
                logger.critical("bad")

            @command
            def fields(ctx):
                ctx.log.warning("odd", item=object(), text=chr(0xD800))
        '''))
        start = host.receive()
        self.assertEqual((start.kind, start.id, start.body["message"]), (f.LOG, 0, "starting"))
        host.call(1, "work")
        debug, warning, failed = host.receive(), host.receive(), host.receive()
        self.assertEqual((debug.id, debug.body), (1, {"level": "debug", "message": "value 5", "logger": "app.models"}))
        self.assertEqual((warning.body["level"], warning.body["message"], warning.body["logger"]), ("warn", "old", "py.warnings"))
        self.assertEqual((failed.body["level"], failed.body["message"]), ("error", "failed"))
        self.assertIn("ZeroDivisionError", failed.body["fields"]["exception"])
        self.assertEqual(host.receive().kind, f.RESULT)
        host.call(2, "awork")
        fatal = host.receive()
        self.assertEqual((fatal.id, fatal.body["level"]), (2, "fatal"))
        host.receive()
        host.call(3, "fields")
        odd = host.receive()
        self.assertEqual((odd.id, odd.body["fields"]["text"]), (3, "\\ud800"))


class Loading(unittest.TestCase):
    def commands(self, path, **options):
        host = Host(self, path, **options)
        return [each["name"] for each in host.hello["commands"]], host

    def failure(self, path, status=1):
        host = Host(self, path, says_hello=False)
        host.say_hello(codecs=["json"])
        error = host.read_hello()["error"]
        self.assertEqual(host.wait(), status)
        return error

    def test_every_public_function_is_a_command_where_none_is_marked(self):
        path = write_module(self, '''
            from functools import lru_cache, wraps
            from json import dumps

            def public(a): return a
            def _private(): pass
            class Thing: pass
            constant = len

            @lru_cache
            def cached(a): return a
        ''')
        names, host = self.commands(path)
        self.assertEqual(names, ["public", "cached"])
        self.assertEqual(host.result(1, "cached", [5]), 5)

    def test_marked_functions_of_neighbours_count(self):
        path = write_module(self, "from neighbour import shared\n\ndef unmarked(): pass\n")
        with open(os.path.join(os.path.dirname(path), "neighbour.py"), "w") as file:
            file.write("from snakepit_bridge import command\n\n@command\ndef shared(): return 1\n")
        self.assertEqual(self.commands(path)[0], ["shared"])

    def test_a_file_in_a_package_may_import_relatively(self):
        path = write_module(self, "from .helper import value\nimport helper\n\ndef get(): return value\n")
        folder = os.path.dirname(path)
        for name, text in (("__init__.py", ""), ("helper.py", "value = 5\n")):
            with open(os.path.join(folder, name), "w") as file:
                file.write(text)
        names, host = self.commands(path)
        self.assertEqual(host.result(1, "get"), 5)

    def test_a_dotted_name_is_imported(self):
        self.assertIn("dumps", self.commands("json")[0])

    def test_two_commands_of_one_name_are_refused_naming_both(self):
        path = write_module(self, '''
            from snakepit_bridge import command

            @command
            def add(): pass

            @command(name="add")
            def plus(): pass
        ''')
        message = self.failure(path)["message"]
        self.assertIn("handlers.add (", message)
        self.assertIn("handlers.plus (", message)
        shadowed = "from snakepit_bridge import command\n@command\ndef a(): pass\n@command\ndef a(): pass\n"
        self.assertIn("two commands named 'a'", self.failure(write_module(self, shadowed))["message"])

    def test_a_module_that_cannot_be_loaded_says_why(self):
        error = self.failure(write_module(self, "import missing_module\n"))
        self.assertEqual((error["code"], error["type"]), ("REMOTE_ERROR", "ModuleNotFoundError"))
        self.assertIn("handlers.py", error["traceback"])
        self.assertIn("has no command", self.failure(write_module(self, "x = 1\n"))["message"])
        self.assertIn("does not exist", self.failure("/nowhere/missing.py")["message"])
        self.assertIn("rename the file", self.failure(write_module(self, "", "json.py"))["message"])
        self.assertEqual(self.failure(write_module(self, "import sys\nsys.exit(5)\n"), status=5)["type"], "SystemExit")

    def test_the_end_of_the_host_ends_a_worker_that_is_still_loading(self):
        path = write_module(self, "import time\nprint('loading', flush=True)\ntime.sleep(60)\n")
        host = Host(self, path, says_hello=False)
        host.say_hello(codecs=["json"])
        self.assertEqual(host.process.stdout.readline(), b"loading\n")
        host.socket.shutdown(2)
        self.assertEqual(host.wait(), -signal.SIGKILL)

    def test_start_up_imports_nothing_heavy(self):
        import subprocess

        from .host import worker_environment

        script = "import snakepit_bridge.worker, snakepit_bridge.v2.server, snakepit_bridge.manifest, sys; print(*sys.modules)"
        loaded = subprocess.check_output([sys.executable, "-S", "-c", script], env=worker_environment(), text=True).split()
        self.assertEqual({"asyncio", "inspect", "logging", "typing", "argparse"} & set(loaded), set())
