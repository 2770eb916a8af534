"""The command that finds the extreme days of a year in Seattle; what counts as extreme is the host's to say."""

import csv
from typing import List, Literal, TypedDict

from snakepit_bridge import Context, MessageError, command

# Kind of extreme: its column, and whether a day beyond the limit is above it.
KINDS = {
    "hot": ("temp_max", True),
    "cold": ("temp_min", False),
    "wet": ("precipitation", True),
    "windy": ("wind", True),
}


class Extreme(TypedDict):
    date: str
    kind: Literal["hot", "cold", "wet", "windy"]
    value: float


class Limits(TypedDict):
    """From which value on a day is extreme."""

    hot: float
    cold: float
    wet: float
    windy: float


class Extremes(TypedDict):
    """The extreme days of a year."""

    year: int
    days: int
    limits: Limits
    extremes: List[Extreme]


@command
def weather_extremes(path: str, year: int, ctx: Context) -> Extremes:
    """The extreme days of a year; tells the host of each as it is found."""
    limits = _limits(year, ctx)
    days, extremes = 0, []
    for day in _days(path, year):
        days += 1
        for extreme in _extremes_of(day, limits):
            ctx.emit("weather.extreme", extreme)
            extremes.append(extreme)
    return {"year": year, "days": days, "limits": limits, "extremes": extremes}


def _limits(year, ctx):
    try:
        return ctx.send("weather.limits", {"year": year})
    except MessageError as error:
        if isinstance(error.data, dict) and error.data.get("status") == 404:
            raise ValueError(error.message) from error
        raise


def _days(path, year):
    with open(path, encoding="utf-8", newline="") as file:
        yield from (day for day in csv.DictReader(file) if day["date"].startswith("%d-" % year))


def _extremes_of(day, limits):
    for kind, (column, is_above) in KINDS.items():
        value = float(day[column])
        if value >= limits[kind] if is_above else value <= limits[kind]:
            yield {"date": day["date"], "kind": kind, "value": value}
