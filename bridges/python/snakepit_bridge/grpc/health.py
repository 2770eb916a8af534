"""The standard health service."""

import asyncio

from grpc_health.v1 import health

SERVICE_NAME = health.SERVICE_NAME


class WorkerHealth(health.aio.HealthServicer):
    """The stock servicer, whose watches would hold up the end of a worker for as long as somebody watches."""

    def __init__(self):
        super().__init__()
        self._end = asyncio.get_running_loop().create_future()

    async def Watch(self, request, context):
        """Tell the health whenever it changes."""
        watching = asyncio.ensure_future(super().Watch(request, context))
        try:
            await asyncio.wait((watching, self._end), return_when=asyncio.FIRST_COMPLETED)
        finally:
            watching.cancel()

    def end_watches(self):
        """The worker ends, and has said so."""
        if not self._end.done():
            self._end.set_result(None)
