"""The command that measures a journey between airports, whose positions the host knows."""

from typing import Any

from snakepit_bridge import Context, ToolError, command

from geography.great_circle import distance_km, initial_heading


@command
def flight_route(stops: list[str], ctx: Context) -> dict[str, Any]:
    """`{legs: [{from, to, kilometres, heading}], kilometres}` along great circles."""
    airports = _find(stops, ctx)
    legs = [_leg(start, end) for start, end in zip(airports, airports[1:])]
    return {"legs": legs, "kilometres": round(sum(leg["kilometres"] for leg in legs), 1)}


def _find(codes, ctx):
    try:
        return ctx.tools.airports_find(codes=codes)
    except ToolError as error:
        if error.type == "NotFoundException":
            raise ValueError(error.message) from error
        raise


def _leg(start, end):
    here, there = (start["latitude"], start["longitude"]), (end["latitude"], end["longitude"])
    return {
        "from": "%s, %s" % (start["name"], start["state"]),
        "to": "%s, %s" % (end["name"], end["state"]),
        "kilometres": round(distance_km(here, there), 1),
        "heading": round(initial_heading(here, there)),
    }
