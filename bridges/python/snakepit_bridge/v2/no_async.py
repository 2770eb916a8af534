"""Stands in for the event loop where nothing is asynchronous."""


class NoAsyncRunner:
    """Has the verbs of AsyncRunner that are used while there are no asynchronous calls; its import is light."""

    calls = {}

    def start(self):
        """There is no thread to start."""

    def is_current_thread(self):
        """No thread is the event loop's."""
        return False

    def cancel_all(self, timeout_seconds):
        """There are no calls."""

    def stop(self, timeout_seconds):
        """There is no thread to end."""
