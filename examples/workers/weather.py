"""Days of weather in Seattle, read once when the worker starts."""

import csv
import pathlib
import statistics

DATA = pathlib.Path(__file__).parents[2] / "apps/demo/data/seattle-weather.csv"

with DATA.open(newline="") as file:
    DAYS = list(csv.DictReader(file))


def year_in_numbers(year: int) -> dict:
    days = [day for day in DAYS if day["date"].startswith(str(year))]
    if not days:
        raise LookupError(f"no days of {year}; there are those from {DAYS[0]['date']} to {DAYS[-1]['date']}")
    hottest = max(days, key=lambda day: float(day["temp_max"]))
    return {
        "days": len(days),
        "mean_max": round(statistics.fmean(float(day["temp_max"]) for day in days), 2),
        "rain_mm": round(sum(float(day["precipitation"]) for day in days), 1),
        "hottest": {"date": hottest["date"], "temp_max": float(hottest["temp_max"])},
    }


def wet_spells(year: int, at_least: int = 5):
    """Runs of days with rain, as they are found."""
    spell = []
    for day in DAYS:
        if day["date"].startswith(str(year)) and float(day["precipitation"]) > 0:
            spell.append(day)
            continue
        if len(spell) >= at_least:
            rain = sum(float(day["precipitation"]) for day in spell)
            yield {"from": spell[0]["date"], "days": len(spell), "rain_mm": round(rain, 1)}
        spell = []
