"""What a worker does while a synchronous command runs."""

import os
import signal
import time
import unittest

from snakepit_bridge.v2 import frame as f

from .host import Host, has_ended, write_module

MODULE = '''
    import os, subprocess, sys, threading, time
    from snakepit_bridge import command

    @command
    def block(ctx):
        """Block, without looking at the context, until the file exists."""
        ctx.progress(None)
        while not os.path.exists(os.path.join(os.path.dirname(__file__), "go")):
            time.sleep(0.001)
        return "unblocked"

    @command
    def spin(ctx):
        ctx.progress(None)
        while not ctx.cancelled:
            pass
        return "saw it"

    @command
    def raises(ctx):
        ctx.progress(None)
        while True:
            ctx.raise_if_cancelled()

    @command
    def quick():
        return "quick"

    @command
    async def quick_async():
        return "async"

    @command
    def reads_in_thread(ctx):
        found = []
        thread = threading.Thread(target=lambda: found.append(ctx.session.get("k")))
        thread.start()
        thread.join()
        return found

    @command
    def grandchild():
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        return child.pid
'''


class BusyWorker(unittest.TestCase):
    def setUp(self):
        self.path = write_module(self, MODULE)
        self.host = Host(self, self.path)

    def unblock(self):
        with open(os.path.join(os.path.dirname(self.path), "go"), "w"):
            pass

    def begin(self, number, name):
        self.host.call(number, name)
        self.host.receive_kind(f.PROGRESS, number)

    def test_a_ping_is_answered(self):
        self.begin(1, "block")
        self.host.send(f.PING, 77)
        pong = self.host.receive()
        self.assertEqual((pong.kind, pong.id), (f.PONG, 77))
        self.unblock()
        self.assertEqual(self.host.receive().body, "unblocked")

    def test_queued_calls_are_cancelled_before_they_begin(self):
        self.begin(1, "block")
        self.host.call(2, "quick")
        self.host.call(3, "quick")
        self.host.cancel(2)
        error = self.host.receive()
        self.assertEqual((error.id, error.body["code"], error.body["started"]), (2, "CANCELLED", False))
        self.unblock()
        self.assertEqual([(frame.id, frame.body) for frame in (self.host.receive(), self.host.receive())],
                         [(1, "unblocked"), (3, "quick")])

    def test_an_id_cancelled_too_late_may_be_used_again(self):
        self.begin(1, "block")
        self.host.cancel(2)
        self.host.call(2, "quick")
        self.unblock()
        self.assertEqual(self.host.receive_kind(f.RESULT, 2).body, "quick")

    def test_a_running_command_sees_its_cancellation(self):
        self.begin(1, "spin")
        self.host.cancel(1)
        self.assertEqual(self.host.receive().body, "saw it")

    def test_raise_if_cancelled_is_answered_as_cancelled(self):
        self.begin(1, "raises")
        self.host.cancel(1)
        error = self.host.receive().body
        self.assertEqual((error["code"], error["started"]), ("CANCELLED", True))

    def test_asynchronous_commands_run_meanwhile(self):
        self.begin(1, "block")
        self.host.call(2, "quick_async")
        self.assertEqual(self.host.receive().body, "async")
        self.unblock()
        self.assertEqual(self.host.receive().body, "unblocked")

    def test_answers_made_before_are_not_held_back(self):
        frames = b"".join(f.pack_frame(f.CALL, n, aux=self.host.index[name]) for n, name in ((1, "quick"), (2, "block")))
        self.host.socket.sendall(frames)
        self.assertEqual((self.host.receive().body), "quick")
        self.host.receive_kind(f.PROGRESS, 2)
        self.unblock()
        self.assertEqual(self.host.receive().body, "unblocked")

    def test_a_thread_of_a_busy_command_can_ask_the_host(self):
        self.host.call(1, "reads_in_thread", None, meta={"session": "s"})
        question = self.host.receive_kind(f.HOST_CALL)
        self.host.answer(question, {"found": True, "value": 5, "revision": 1})
        self.assertEqual(self.host.receive().body, [5])

    def test_the_end_of_the_host_kills_worker_and_grandchildren(self):
        grandchild = self.host.result(1, "grandchild")
        self.begin(2, "block")
        self.host.socket.shutdown(2)
        self.assertEqual(self.host.wait(), -signal.SIGKILL)
        self.assertTrue(has_ended(grandchild))

    def test_the_end_of_the_host_ends_an_idle_worker(self):
        self.host.socket.shutdown(2)
        self.assertEqual(self.host.wait(), -signal.SIGKILL)

    def test_an_idle_worker_uses_no_cpu(self):
        self.assertEqual(self.host.result(1, "quick"), "quick")
        time.sleep(0.3)  # the watchdog goes to sleep after five quiet ticks
        before = cpu_ticks(self.host.process.pid)
        time.sleep(0.5)
        self.assertLessEqual(cpu_ticks(self.host.process.pid) - before, 1)


def cpu_ticks(pid):
    with open("/proc/%d/stat" % pid) as file:
        fields = file.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
