"""Shortest ways on the globe, taken for a sphere; positions are (latitude, longitude) in degrees."""

from math import asin, atan2, cos, degrees, radians, sin, sqrt

EARTH_RADIUS_KM = 6371.0088  # mean radius, IUGG


def distance_km(here, there):
    """The length of the great circle between two positions, by the haversine formula; off by 0.5 % at most."""
    (lat1, lon1), (lat2, lon2) = _radians(here), _radians(there)
    half_chord = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(half_chord)))


def initial_heading(here, there):
    """The direction in which the great circle begins: degrees from north, clockwise, 0 to 360."""
    (lat1, lon1), (lat2, lon2) = _radians(here), _radians(there)
    east = sin(lon2 - lon1) * cos(lat2)
    north = cos(lat1) * sin(lat2) - sin(lat1) * cos(lat2) * cos(lon2 - lon1)
    return degrees(atan2(east, north)) % 360


def _radians(position):
    return radians(position[0]), radians(position[1])
