import unittest

from support import FakeContext
from flight_route import flight_route
from geography.great_circle import distance_km, initial_heading

SFO = {"code": "SFO", "name": "San Francisco Intl", "state": "CA", "latitude": 37.61900194, "longitude": -122.3748433}
JFK = {"code": "JFK", "name": "John F Kennedy Intl", "state": "NY", "latitude": 40.63975111, "longitude": -73.77892556}


class GreatCircle(unittest.TestCase):
    def test_known_distances(self):
        self.assertAlmostEqual(distance_km((0, 0), (0, 180)), 20015.1, delta=0.1)
        self.assertAlmostEqual(distance_km((0, 0), (1, 0)), 111.195, delta=0.001)
        self.assertAlmostEqual(distance_km((37.619, -122.3748), (40.6398, -73.7789)), 4152, delta=10)
        self.assertEqual(distance_km((10, 20), (10, 20)), 0)

    def test_headings(self):
        self.assertAlmostEqual(initial_heading((0, 0), (1, 0)), 0)
        self.assertAlmostEqual(initial_heading((0, 0), (0, 1)), 90)
        self.assertAlmostEqual(initial_heading((1, 0), (0, 0)), 180)
        self.assertAlmostEqual(initial_heading((0, 0), (0, -1)), 270)


class FakeTools:
    def __init__(self):
        self.asked = []

    def airports_find(self, codes):
        self.asked.append(codes)
        return [{"SFO": SFO, "JFK": JFK}[code] for code in codes]


class FlightRoute(unittest.TestCase):
    def test_the_airports_are_asked_for_at_once(self):
        ctx = FakeContext()
        ctx.tools = FakeTools()
        route = flight_route(["SFO", "JFK", "SFO"], ctx)
        self.assertEqual(ctx.tools.asked, [["SFO", "JFK", "SFO"]])
        self.assertEqual([leg["from"] for leg in route["legs"]], ["San Francisco Intl, CA", "John F Kennedy Intl, NY"])
        there, back = route["legs"]
        self.assertEqual(there["kilometres"], back["kilometres"])
        self.assertAlmostEqual(route["kilometres"], 2 * there["kilometres"], delta=0.2)


if __name__ == "__main__":
    unittest.main()
