"""SIGTERM in the moments of a fork, for the child and for the worker."""

import os
import signal
import subprocess
import sys
import textwrap
import unittest

from . import PACKAGE_FOLDER

# Callbacks that are registered before the guard's run while it holds signals back.
PROLOGUE = """
    import os, signal, sys, time

    def terminate_self():
        os.kill(os.getpid(), signal.SIGTERM)

    def status_of(child):
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) if hasattr(os, "waitstatus_to_exitcode") else _status(child)

    def _status(child):
        status = os.waitpid(child, 0)[1]
        return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
"""


def run(script):
    """Run a script that prepares itself as workers do; its exit status and what it printed."""
    program = textwrap.dedent(PROLOGUE) + textwrap.dedent(script)
    done = subprocess.run(
        # From 3.12 on the interpreter warns of a fork in a process with threads; a signal that is put off makes one.
        [sys.executable, "-W", "ignore:This process:DeprecationWarning", "-c", program],
        env={**os.environ, "PYTHONPATH": PACKAGE_FOLDER},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=30,
    )
    return done.returncode, done.stdout.decode().split(), done.stderr.decode()


class ForkGuardTest(unittest.TestCase):
    def test_a_child_ends_by_a_signal_of_its_first_moment(self):
        status, printed, errors = run(
            """
            os.register_at_fork(after_in_child=terminate_self)
            from snakepit_bridge.process import prepare_process
            prepare_process()
            child = os.fork()
            if child == 0:
                time.sleep(20)
                os._exit(0)
            print(status_of(child))
            """
        )
        self.assertEqual((status, printed, errors), (0, [str(-signal.SIGTERM)], ""))

    def test_a_child_ends_by_a_signal_that_comes_later(self):
        status, printed, errors = run(
            """
            from snakepit_bridge.process import ignore_termination, prepare_process
            prepare_process()
            for prepare in (lambda: None, ignore_termination):
                prepare()
                child = os.fork()
                if child == 0:
                    terminate_self()
                    time.sleep(20)
                    os._exit(0)
                print(status_of(child))
            """
        )
        self.assertEqual((status, printed, errors), (0, [str(-signal.SIGTERM)] * 2, ""))

    def test_a_worker_does_not_miss_a_signal_that_comes_while_it_forks(self):
        self.assert_not_missed("")

    def test_a_worker_does_not_miss_it_either_where_it_takes_long_to_start_a_thread(self):
        self.assert_not_missed(
            """
            import threading
            start = threading.Timer.start
            threading.Timer.start = lambda timer: (start(timer), time.sleep(0.02))
            """
        )

    def assert_not_missed(self, preparation):
        status, printed, errors = run(
            textwrap.dedent(preparation)
            + textwrap.dedent(
                """
                os.register_at_fork(after_in_parent=terminate_self)
                from snakepit_bridge.process import is_terminated, prepare_process
                prepare_process()
                try:
                    child = os.fork()
                    if child == 0:
                        os._exit(0)
                    time.sleep(20)
                    print("missed")
                finally:
                    print(is_terminated())
                """
            )
        )
        self.assertEqual((status, printed, errors), (0, ["True"], ""))

    def test_the_handler_of_a_module_stays_its_own(self):
        status, printed, errors = run(
            """
            from snakepit_bridge.process import prepare_process
            prepare_process()
            signal.signal(signal.SIGTERM, lambda *_: os._exit(7))
            child = os.fork()
            if child == 0:
                terminate_self()
                time.sleep(20)
            print(status_of(child), signal.SIGTERM in signal.pthread_sigmask(signal.SIG_BLOCK, ()))
            """
        )
        self.assertEqual((status, printed, errors), (0, ["7", "False"], ""))


if __name__ == "__main__":
    unittest.main()
