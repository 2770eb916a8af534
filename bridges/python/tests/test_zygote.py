"""The zygote as its host sees it: what it imports, forks, buries and refuses."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

from snakepit_bridge.codec import create_codec
from snakepit_bridge.v2 import frame as f
from snakepit_bridge.zygote.control import EXITED, FORK, FORKED

from .host import TIMEOUT_SECONDS, Host, worker_environment, write_module

MODULE = """
    import os, signal, sys

    HANDLED = []
    signal.signal(signal.SIGUSR2, lambda *_: HANDLED.append("USR2"))
    IMPORTER = os.getpid()

    def facts():
        return {"pid": os.getpid(), "importer": IMPORTER, "name": os.environ.get("NAME"), "group": os.getpgrp()}

    def dispositions():
        os.kill(os.getpid(), signal.SIGUSR2)
        return [HANDLED, signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL, signal.set_wakeup_fd(-1)]

    def descriptor(number):
        try:
            return [os.fstat(number).st_ino, not os.get_inheritable(number)]
        except OSError:
            return [None, None]

    AT_FORK = set()
    os.register_at_fork(after_in_child=lambda: AT_FORK.update(sys.modules))

    def imported_since():
        return sorted(set(sys.modules) - AT_FORK)

    def run_child():
        import subprocess
        return subprocess.run([sys.executable, "-c", "raise SystemExit(3)"]).returncode
"""


class ZygoteHost(Host):
    """A zygote, and the door to which its workers come."""

    def __init__(self, test, module, *arguments):
        folder = tempfile.mkdtemp()
        test.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        self.door = os.path.join(folder, "door")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.door)
        self._listener.listen()
        self._listener.settimeout(TIMEOUT_SECONDS)
        test.addCleanup(self._listener.close)
        for name, value in (("SNAKEPIT_DOOR", self.door), ("SNAKEPIT_ARENA_FD", "17")):
            os.environ[name] = value
            test.addCleanup(os.environ.pop, name, None)
        command_line = [sys.executable, "-m", "snakepit_bridge.zygote", *arguments, "--module", module]
        super().__init__(test, module, command_line=command_line, says_hello=False)
        self.hello = self.read_hello()

    def tell(self, kind, number, members):
        flags, body = self.codec.encode(members)
        self.send(kind, number, flags, body=body)

    def fork(self, number, arena=None, **environment):
        """Fork a worker; returns its pid and its connections by role."""
        env = {**os.environ, "SNAKEPIT_PROTOCOL": "v2", "SNAKEPIT_FD": "3", **environment}
        self.tell(FORK, number, {"token": "t%d" % number, "env": env, **({} if arena is None else {"arena": arena})})
        pid = self.receive_kind(FORKED, number).body["pid"]
        return pid, dict(self._admit(number) for _ in range(3))

    def _admit(self, number):
        connection = self._listener.accept()[0]
        connection.settimeout(TIMEOUT_SECONDS)
        line = b""
        while not line.endswith(b"\n"):
            line += connection.recv(1)
        token, role = line.decode().split()
        if token != "t%d" % number:
            raise AssertionError("a worker came with the token %r" % token)
        return role, connection


class Worker(Host):
    """A forked worker, spoken to over its channel."""

    def __init__(self, test, channel):
        self.socket = channel
        self._input = channel.makefile("rb")
        test.addCleanup(self._input.close)
        test.addCleanup(channel.close)
        self.codec = create_codec("json", 64)
        self.say_hello(codecs=["json"])
        self.hello = self.read_hello()
        self.index = {each["name"]: at for at, each in enumerate(self.hello["commands"])}


@unittest.skipUnless(sys.platform == "linux", "zygotes need Linux")
class Forking(unittest.TestCase):
    def setUp(self):
        self.zygote = ZygoteHost(self, write_module(self, MODULE), "--preload", "decimal", "--preload-module")

    def worker(self, number=1, **environment):
        pid, connections = self.zygote.fork(number, **environment)
        for role in ("stdout", "stderr"):
            self.addCleanup(connections[role].close)
        return pid, Worker(self, connections["channel"]), connections

    def test_a_worker_has_the_imports_of_the_zygote_and_an_environment_of_its_own(self):
        pid, worker, _ = self.worker(NAME="first")
        expected = {"pid": pid, "importer": self.zygote.hello["pid"], "name": "first", "group": pid}
        self.assertEqual(worker.result(1, "facts"), expected)

    def test_a_worker_imports_nothing_by_itself(self):
        _, worker, _ = self.worker()
        self.assertEqual(worker.result(1, "imported_since"), [])

    def test_a_worker_has_the_signal_dispositions_that_its_module_chose(self):
        _, worker, _ = self.worker()
        self.assertEqual(worker.result(1, "dispositions"), [["USR2"], True, -1])
        self.assertEqual(worker.result(2, "run_child"), 3)

    def test_a_worker_opens_its_arena_by_the_path_that_it_is_given(self):
        with tempfile.NamedTemporaryFile() as file:
            file.truncate(1 << 20)
            self.assertEqual(self.arena_of(1, file.name), [os.fstat(file.fileno()).st_ino, True])
        self.assertEqual(self.arena_of(2, "/nowhere/at/all"), [None, None])
        self.assertEqual(self.arena_of(3, None), [None, None])

    def arena_of(self, number, path):
        _, connections = self.zygote.fork(number, arena=path)
        for role in ("stdout", "stderr"):
            self.addCleanup(connections[role].close)
        return Worker(self, connections["channel"]).result(1, "descriptor", [17])

    def test_exits_are_told_by_status_and_by_signal(self):
        _, worker, _ = self.worker(1)
        worker.send(f.SHUTDOWN)
        self.assertEqual(self.zygote.receive_kind(EXITED, 1).body, {"status": 0})
        pid, _, _ = self.worker(2)
        os.kill(pid, signal.SIGKILL)
        self.assertEqual(self.zygote.receive_kind(EXITED, 2).body, {"signal": "SIGKILL"})

    def test_the_end_of_the_host_ends_everything(self):
        pid, _, connections = self.worker()
        self.zygote._input.close()
        self.zygote.socket.close()
        self.assertEqual(self.zygote.wait(), -signal.SIGKILL)
        self.assertEqual(connections["stderr"].recv(1), b"")
        self.assertRaises(FileNotFoundError, os.stat, os.path.dirname(self.zygote.door))

    def test_it_outlives_a_signal_that_is_meant_for_the_whole_service(self):
        self.zygote.process.send_signal(signal.SIGTERM)
        _, worker, _ = self.worker()
        self.assertEqual(worker.result(1, "run_child"), 3)

    def test_anything_but_an_order_is_a_protocol_error(self):
        self.zygote.send(f.CALL, 1)
        self.assertEqual(self.zygote.wait(), 70)


@unittest.skipUnless(sys.platform == "linux", "zygotes need Linux")
class Preloading(unittest.TestCase):
    def refusal(self, source, *arguments, status=1):
        zygote = ZygoteHost(self, write_module(self, source), *arguments)
        self.assertEqual(zygote.wait(), status)
        return zygote.hello["error"]

    def test_a_module_that_leaves_by_a_status_decides_that_of_the_zygote(self):
        error = self.refusal("import sys; sys.exit(9)", "--preload-module", status=9)
        self.assertEqual((error["type"], error["message"]), ("SystemExit", "9"))

    def test_a_thread_that_threading_does_not_know_of_is_refused_too(self):
        source = """
            import _thread, time

            def run():
                started.release()
                time.sleep(60)

            started = _thread.allocate_lock()
            started.acquire()
            _thread.start_new_thread(run, ())
            started.acquire()
        """
        error = self.refusal(source, "--preload-module")
        self.assertRegex(error["message"], r"handlers\.py started a thread when it was imported \(thread \d+\)")

    def test_a_module_that_fails_is_told_with_its_traceback(self):
        error = self.refusal("raise ValueError('no such table')", "--preload-module")
        self.assertEqual((error["type"], error["message"]), ("ValueError", "no such table"))
        self.assertIn("handlers.py", error["traceback"])

    def test_a_module_that_starts_a_thread_is_refused_by_name(self):
        source = """
            import threading, time
            threading.Thread(target=time.sleep, args=(60,), name="poller", daemon=True).start()

            def nothing():
                pass
        """
        error = self.refusal(source, "--preload-module")
        self.assertRegex(error["message"], r"handlers\.py started a thread when it was imported \(poller\)")

    def test_a_module_may_start_threads_when_it_is_left_to_the_workers(self):
        source = """
            import os, threading, time
            threading.Thread(target=time.sleep, args=(60,), daemon=True).start()

            def pid():
                return os.getpid()
        """
        zygote = ZygoteHost(self, write_module(self, source))
        pid, connections = zygote.fork(1)
        for role in ("stdout", "stderr"):
            self.addCleanup(connections[role].close)
        self.assertEqual(Worker(self, connections["channel"]).result(1, "pid"), pid)


class Rehearsal(unittest.TestCase):
    def test_it_succeeds_and_leaves_neither_threads_nor_descriptors_behind(self):
        source = """
            import os, threading
            from snakepit_bridge.zygote import rehearsal

            def leftovers():
                return threading.active_count(), len(os.listdir("/dev/fd"))

            def fail(message):
                raise SystemExit(message)

            rehearsal.complain = fail
            before = leftovers()
            rehearsal.rehearse()
            if leftovers() != before:
                fail("%r became %r" % (before, leftovers()))
        """
        run = subprocess.run([sys.executable, write_module(self, source)], env=worker_environment(), stderr=subprocess.PIPE, text=True)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
