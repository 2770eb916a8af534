"""Mean and spread of measurements that come one at a time, by Welford's method. A session keeps what is known so far."""

import math

from snakepit_bridge import Context


def measure(value: float, ctx: Context) -> int:
    def add(known):
        count = known["count"] + 1
        delta = value - known["mean"]
        mean = known["mean"] + delta / count
        return {"count": count, "mean": mean, "m2": known["m2"] + delta * (value - mean)}

    return ctx.session.update("known", add, default={"count": 0, "mean": 0.0, "m2": 0.0})["count"]


def summary(ctx: Context) -> dict:
    known = ctx.session.get("known")
    spread = math.sqrt(known["m2"] / (known["count"] - 1))
    return {"count": known["count"], "mean": round(known["mean"], 3), "stddev": round(spread, 3)}
