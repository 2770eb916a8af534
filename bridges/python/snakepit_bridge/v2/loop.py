"""The main loop of a v2 worker: takes calls in, runs them, sends answers out."""

import signal
import threading

from ..process import is_terminated
from .parts import Parts
from .watchdog import Watchdog

_DRAIN_SECONDS = 1.0
_INSIST_SECONDS = 0.02


class Connection:
    """What is agreed on with the host: the socket with its reader and writer, the codec, and the arena or None."""

    def __init__(self, sock, reader, writer, codec, arena):
        self.socket = sock
        self.reader = reader
        self.writer = writer
        self.codec = codec
        self.arena = arena


class WorkerLoop:
    """Owns a connection after the hellos. The main thread runs synchronous commands in order and drives generators."""

    def __init__(self, connection, manifest, hello):
        self.turn = 0
        self._is_stopping = False
        self._exit_error = None
        self._has_left = threading.Event()
        self._main_thread = threading.get_ident()
        parts = Parts(connection, manifest, hello, stop=self.stop, exit_from_thread=self._exit_from_thread)
        self.runtime = parts.runtime
        self._writer = connection.writer
        self._waiting = parts.queue.waiting
        self._streams = parts.streams
        self._async = parts.async_runner
        self._threads = parts.thread_runner
        self._open_calls = parts.open_calls
        self._fast_path = parts.fast_path
        self._row_answers = parts.row_answers
        self._intake = parts.intake
        self._watchdog = Watchdog(self, parts.intake, connection.socket.fileno())

    def start(self):
        """Make ready for calls: start the threads that this worker's commands need."""
        self._async.start()
        self._watchdog.start()

    def stop(self):
        """End the serving once the calls at hand are answered. From the main thread, or a reading one."""
        self._is_stopping = True

    def serve(self):
        """Serve until the host asks for the end. Raises HostGone, ProtocolError, and SystemExit of commands."""
        waiting, runnable = self._waiting, self._streams.runnable
        try:
            while not (self._is_stopping and self._is_drained()):
                if is_terminated():
                    raise SystemExit(0)  # what SIGTERM had raised was swallowed: by a command, or where the interpreter can pass on nothing
                self._intake.look(self._is_stopping)
                self.turn += 1
                if self._watchdog.is_asleep:
                    self._watchdog.wake()
                if waiting:
                    self._fast_path.run()
                if runnable:
                    self._streams.run()
                self._open_calls.running_id = 0
                if not waiting:
                    self._writer.flush()
        except SystemExit:
            if self._exit_error is not None:
                raise self._exit_error from None
            raise
        finally:
            self._has_left.set()

    def wind_down(self):
        """Close what is open, so that clean-up code runs; hooks may still run."""
        self._row_answers.add_frames()
        self._streams.close_all()
        self._threads.cancel_all(_DRAIN_SECONDS)
        self._async.cancel_all(_DRAIN_SECONDS)

    def end(self):
        """End the event loop's thread."""
        self._async.stop(_DRAIN_SECONDS)

    def _is_drained(self):
        return not (self._waiting or self._streams or self._async.calls or self._threads.calls)

    def _exit_from_thread(self, ending):
        """A command on another thread raised SystemExit: let the main thread end the worker with its status."""
        self._exit_error = ending
        signal.pthread_kill(self._main_thread, signal.SIGTERM)
        threading.Thread(target=self._insist, name="snakepit-exit", daemon=True).start()

    def _insist(self):
        """A signal that comes just before the main thread sleeps in a read does not wake it: it is sent again."""
        while not self._has_left.wait(_INSIST_SECONDS):
            if self._intake.is_idle:
                signal.pthread_kill(self._main_thread, signal.SIGTERM)
