"""The shipped handwritten digits and their fixed split.

1797 images of 8x8 pixels (0..16) with labels; see apps/demo/data/README.md for the source. Every
fifth item, counting from item 4, is held out: 359 items to measure with, 1438 to train on.
"""

import csv
import gzip
import os

DATA_FOLDER = os.path.normpath(
    os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "data")
)
DIGITS_FILE = os.path.join(DATA_FOLDER, "digits.csv.gz")
PIXELS = 64
MAX_PIXEL = 16
CLASSES = 10
HELD_OUT_EVERY = 5

_splits = {}


def load_all():
    """`[(pixels, label)]` in file order."""
    with gzip.open(DIGITS_FILE, "rt", encoding="ascii", newline="") as text:
        rows = [[int(float(field)) for field in row] for row in csv.reader(text) if row]
    return [(row[:PIXELS], row[PIXELS]) for row in rows]


def is_held_out(index):
    return index % HELD_OUT_EVERY == HELD_OUT_EVERY - 1


def training_split():
    return _split("training")


def held_out_split():
    return _split("held_out")


def _split(name):
    if not _splits:
        items = load_all()
        _splits["training"] = [item for i, item in enumerate(items) if not is_held_out(i)]
        _splits["held_out"] = [item for i, item in enumerate(items) if is_held_out(i)]
    return _splits[name]


def scaled(pixels):
    """Pixels as the network wants them: 0.0 to 1.0."""
    return [pixel / MAX_PIXEL for pixel in pixels]


def validate_images(images):
    """Raises ValueError saying which item is wrong and how."""
    if not isinstance(images, (list, tuple)):
        raise ValueError("images must be a list of images, got %s" % type(images).__name__)
    for index, image in enumerate(images):
        _validate_image(index, image)


def _validate_image(index, image):
    if not isinstance(image, (list, tuple)):
        raise ValueError(
            "image %d must be a list of %d numbers, got %s" % (index, PIXELS, type(image).__name__)
        )
    if len(image) != PIXELS:
        raise ValueError(
            "image %d must have %d numbers (8 rows of 8), got %d" % (index, PIXELS, len(image))
        )
    for position, pixel in enumerate(image):
        if isinstance(pixel, bool) or not isinstance(pixel, (int, float)):
            raise ValueError(
                "image %d, pixel %d must be a number, got %s"
                % (index, position, type(pixel).__name__)
            )
        if not 0 <= pixel <= MAX_PIXEL:  # NaN fails here too
            raise ValueError(
                "image %d, pixel %d must be between 0 and %d, got %r"
                % (index, position, MAX_PIXEL, pixel)
            )
