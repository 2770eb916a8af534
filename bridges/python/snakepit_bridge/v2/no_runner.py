"""Stands in for a runner of calls that run side by side, where there are none."""


class NoRunner:
    """Has the verbs of AsyncRunner and ThreadRunner that are used while they have no calls; its import is light."""

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
