"""Stands in for a runner of calls that run side by side, where there are none."""


class NoRunner:
    """Has the verbs of AsyncRunner and ThreadRunner that are used while they have no calls; its import is light."""

    calls = {}
    thread_id = None  # no thread is the event loop's

    def start(self):
        """There is no thread to start."""

    def cancel_all(self, timeout_seconds):
        """There are no calls."""

    def stop(self, timeout_seconds):
        """There is no thread to end."""
