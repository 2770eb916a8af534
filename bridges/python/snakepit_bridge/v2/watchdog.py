"""Keeps the worker responsive while a synchronous command runs."""

import select
import threading
from time import sleep

_TICK_SECONDS = 0.02
_QUIET_TICKS = 5


class Watchdog:
    """A thread that reads the socket when the main loop has not looked at it for a tick (20 ms).

    The main loop pays one attribute check a turn, `is_asleep`; while it is idle, the thread sleeps on an event.
    """

    def __init__(self, loop, intake, descriptor):
        self.is_asleep = False
        self._loop = loop
        self._intake = intake
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)
        self._awake = threading.Event()
        self._awake.set()
        self._seen_turn = None

    def start(self):
        """Start the thread, which lasts as long as the process."""
        threading.Thread(target=self._run, name="snakepit-watchdog", daemon=True).start()

    def wake(self):
        """Tell the thread that the main loop has work."""
        self.is_asleep = False
        self._awake.set()

    def _run(self):
        while True:
            self._awake.wait()
            self._awake.clear()
            self._watch()

    def _watch(self):
        """Tick until the main loop has been idle for some ticks."""
        quiet = 0
        while quiet < _QUIET_TICKS:
            if self._is_stuck():
                quiet = 0
                self._read_instead()
                continue
            self._seen_turn = self._loop.turn
            quiet = quiet + 1 if self._intake.is_idle else 0
            sleep(_TICK_SECONDS)
        self.is_asleep = True
        if not self._intake.is_idle:  # it went to work in between and may have missed the flag
            self.wake()

    def _is_stuck(self):
        return not self._intake.is_idle and self._loop.turn == self._seen_turn

    def _read_instead(self):
        self._intake.flush_for_main()
        if self._poll.poll(_TICK_SECONDS * 1000) and self._is_stuck() and not self._intake.read_for_main():
            sleep(0.001)  # the main thread is reading after all
