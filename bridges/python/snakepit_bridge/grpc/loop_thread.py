"""The thread that gRPC lives on."""

import asyncio
import threading


class LoopThread:
    """An event loop on a daemon thread of its own."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="snakepit-grpc", daemon=True)

    def start(self):
        """Start the thread."""
        self._thread.start()

    def run(self, coroutine, timeout_seconds=None):
        """Run a coroutine and wait for its result. From any other thread."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout_seconds)

    def stop(self, timeout_seconds):
        """End the thread."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(timeout_seconds)

    def _run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()
