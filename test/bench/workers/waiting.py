"""Commands that wait, as those do that ask a network."""

import asyncio


async def wait(seconds: float) -> None:
    await asyncio.sleep(seconds)
