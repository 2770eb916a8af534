import os
import unittest

from support import DATA, FakeContext
from snakepit_bridge import MessageError
from weather_extremes import weather_extremes

PATH = os.path.join(DATA, "seattle-weather.csv")
LIMITS = {"hot": 33, "cold": -5, "wet": 40, "windy": 9}


class WeatherContext(FakeContext):
    def __init__(self, answer):
        super().__init__()
        self.answer = answer
        self.asked = []
        self.emitted = []

    def send(self, pattern, data):
        self.asked.append((pattern, data))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def emit(self, name, data):
        self.emitted.append((name, data))


def refusal(status):
    error = MessageError.__new__(MessageError)
    error.message, error.data = "no limits", {"status": status}
    return error


class WeatherExtremes(unittest.TestCase):
    def test_the_limits_are_asked_for_and_the_extremes_told(self):
        ctx = WeatherContext(LIMITS)
        found = weather_extremes(PATH, 2015, ctx)
        self.assertEqual(ctx.asked, [("weather.limits", {"year": 2015})])
        self.assertEqual((found["days"], found["limits"]), (365, LIMITS))
        kinds = [extreme["kind"] for extreme in found["extremes"]]
        self.assertEqual((kinds.count("hot"), kinds.count("cold"), kinds.count("wet")), (9, 0, 3))
        self.assertEqual(ctx.emitted, [("weather.extreme", extreme) for extreme in found["extremes"]])

    def test_a_year_without_limits_is_bad_input_and_anything_else_a_failure(self):
        with self.assertRaises(ValueError):
            weather_extremes(PATH, 1999, WeatherContext(refusal(404)))
        with self.assertRaises(MessageError):
            weather_extremes(PATH, 2015, WeatherContext(refusal(500)))


if __name__ == "__main__":
    unittest.main()
