"""Commands that ask their host."""

import asyncio


def add(a: int, b: int) -> int:
    return a + b


async def ask(count: int, at_once: int, ctx) -> int:
    """Call the tool `sum` so often, that many at once; return how many answers were right."""
    numbers = iter(range(count))

    async def lane():
        right = 0
        for number in numbers:
            right += await ctx.tools.sum(a=number, b=1) == number + 1
        return right

    return sum(await asyncio.gather(*(lane() for _ in range(at_once))))
