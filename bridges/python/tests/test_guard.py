"""What becomes of workers whose tests were interrupted."""

import signal
import subprocess
import sys
import unittest

from .host import has_ended, worker_environment

# A worker with two children that were forked while another thread held a lock: they wait for that lock for ever, one of them in a session of its own.
INTERRUPTED_RUN = '''
import os, signal, subprocess, sys
from tests.guard import guard
from tests.host import worker_environment

WORKER = """
import os, threading, time

lock, held = threading.Lock(), threading.Event()
threading.Thread(target=lambda: (lock.acquire(), held.set(), time.sleep(60)), daemon=True).start()
held.wait()
child = os.fork()
if child == 0:
    lock.acquire()
stranger = os.fork()
if stranger == 0:
    os.setsid()
    lock.acquire()
print(os.getpid(), child, stranger, flush=True)
os.waitpid(child, 0)
"""

worker = guard().spawn([sys.executable, "-c", WORKER], stdout=subprocess.PIPE, text=True, env=worker_environment())
print(worker.stdout.readline(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
'''


@unittest.skipUnless(sys.platform == "linux", "reads /proc")
class Interruption(unittest.TestCase):
    def test_workers_and_their_children_end_with_tests_that_are_killed(self):
        run = subprocess.run([sys.executable, "-c", INTERRUPTED_RUN], env=worker_environment(), stdout=subprocess.PIPE, text=True)
        self.assertEqual(run.returncode, -signal.SIGKILL)
        pids = [int(pid) for pid in run.stdout.split()]
        self.assertEqual(len(pids), 3)
        self.assertEqual([has_ended(pid) for pid in pids], [True, True, True])
