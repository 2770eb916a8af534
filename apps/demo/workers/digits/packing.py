"""Weights as bytes: little-endian float32, in the order w1, b1, w2, b2, rows one after another."""

import sys
from array import array

from .dataset import CLASSES, PIXELS
from .model import Network

MAX_HIDDEN = 1024
_BYTES_PER_WEIGHT = 4


def require_hidden(hidden):
    if isinstance(hidden, bool) or not isinstance(hidden, int) or not 1 <= hidden <= MAX_HIDDEN:
        raise ValueError(
            "hidden must be an integer between 1 and %d, got %r" % (MAX_HIDDEN, hidden)
        )
    return hidden


def weight_count(hidden):
    return hidden * (PIXELS + 1) + CLASSES * (hidden + 1)


def pack(network):
    flat = array("f")
    for matrix, bias in ((network.w1, network.b1), (network.w2, network.b2)):
        for row in matrix:
            flat.extend(row)
        flat.extend(bias)
    return to_bytes(flat)


def unpack(packed, hidden):
    flat = from_bytes(packed, require_hidden(hidden)).tolist()
    end_w1 = hidden * PIXELS
    end_b1 = end_w1 + hidden
    end_w2 = end_b1 + CLASSES * hidden
    return Network(
        _rows(flat[:end_w1], PIXELS),
        flat[end_w1:end_b1],
        _rows(flat[end_b1:end_w2], hidden),
        flat[end_w2:],
    )


def from_bytes(packed, hidden=None):
    """The flat float32 array; with `hidden` given, its length is checked."""
    if not isinstance(packed, (bytes, bytearray, memoryview)):
        raise ValueError("weights must be bytes, got %s" % type(packed).__name__)
    packed = bytes(packed)
    if hidden is not None and len(packed) != weight_count(hidden) * _BYTES_PER_WEIGHT:
        raise ValueError(
            "weights of a network with %d hidden units are %d bytes, got %d"
            % (hidden, weight_count(hidden) * _BYTES_PER_WEIGHT, len(packed))
        )
    if len(packed) % _BYTES_PER_WEIGHT:
        raise ValueError("weights must be whole float32 numbers, got %d bytes" % len(packed))
    flat = array("f")
    flat.frombytes(packed)
    if sys.byteorder == "big":
        flat.byteswap()
    return flat


def to_bytes(flat):
    if sys.byteorder == "big":
        flat = array("f", flat)
        flat.byteswap()
    return flat.tobytes()


def _rows(flat, width):
    return [flat[start : start + width] for start in range(0, len(flat), width)]
