"""A shopping basket that outlives the worker it was filled in."""

import os

from snakepit_bridge import Context


def put(item: str, cents: int, ctx: Context) -> int:
    basket = ctx.session.update("basket", lambda items: [*items, [item, cents]], default=[])
    return len(basket)


def total(ctx: Context) -> dict:
    basket = ctx.session.get("basket", [])
    return {"items": [item for item, _ in basket], "cents": sum(cents for _, cents in basket)}


def whoami() -> int:
    return os.getpid()
