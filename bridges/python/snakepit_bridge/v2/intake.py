"""Reads the socket, whichever thread's turn it is."""

import select
import threading
from time import monotonic

from ..errors import HostGone, ProtocolError
from ..process import end_by_protocol_error, end_with_host

_STOPPING_TICK_MS = 10


class Intake:
    """Takes frames in. One thread at a time reads, whoever holds `reading`:

    - the main thread between commands (`look`),
    - the watchdog, while a command has kept the main thread from reading (`read_for_main`),
    - a command on the main thread that wants to know of its cancellation, or waits for its host.

    A reader never runs commands; it queues them.
    """

    def __init__(self, sock, reader, writer, queue, row_answers):
        self.reading = threading.Lock()
        self.is_idle = False
        self.last_look = 0.0
        self._reader = reader
        self._writer = writer
        self._row_answers = row_answers
        self._waiting = queue.waiting
        self._runnable = ()
        self._switchboard = None
        self._readable = select.poll()
        self._readable.register(sock.fileno(), select.POLLIN)

    def connect(self, switchboard, runnable):
        """Hand frames to this switchboard, and never wait while there are streams in `runnable`."""
        self._switchboard = switchboard
        self._runnable = runnable

    def look(self, is_stopping):
        """Between commands: take in what arrived, and wait for it if there is nothing else to do."""
        switchboard = self._switchboard
        with self.reading:
            switchboard.forget_late_cancels()
            is_blocking = not (self._waiting or self._runnable)  # under the lock: the watchdog may just have read
            if is_blocking:
                self._writer.flush()
            if is_blocking and is_stopping:
                is_blocking = False
                self._readable.poll(_STOPPING_TICK_MS)  # the last asynchronous calls end without a frame from the host
            self.is_idle = is_blocking
            has_data = self._reader.receive(is_blocking)
            self.is_idle = False
            self.last_look = now = monotonic()
            if has_data:
                self._reader.parse(switchboard.on_call, switchboard.on_other, now)

    def look_in_between(self):
        """Inside a command of the main thread's: take in what arrived."""
        with self.reading:
            self._take_in_between(is_blocking=False)
        self._writer.flush()

    def read_until(self, answer):
        """Inside a command of the main thread's: take frames in until the answer is there."""
        while answer.content is None:
            with self.reading:
                if answer.content is None:
                    self._take_in_between(is_blocking=True)
            self._writer.flush()

    def read_for_main(self):
        """On the watchdog's thread: take in what arrived; False if the main thread is reading itself."""
        if not self.reading.acquire(blocking=False):
            return False
        try:
            self._take_in_between(is_blocking=False)
        except HostGone:
            end_with_host()
        except ProtocolError as error:
            end_by_protocol_error(error)
        finally:
            self.reading.release()
        self.flush_for_main()
        return True

    def flush_for_main(self):
        """On the watchdog's thread: send the answers that were made before the main thread went into a long command."""
        self._row_answers.add_frames()
        try:
            self._writer.flush()
        except HostGone:
            end_with_host()

    def _take_in_between(self, is_blocking):
        if self._reader.receive(is_blocking):
            self.last_look = now = monotonic()
            switchboard = self._switchboard
            self._reader.parse(switchboard.on_call_in_between, switchboard.on_other_in_between, now)
