"""Commands that classify handwritten digits with the shipped network."""

import random
from typing import Any, Optional

from snakepit_bridge import Context, batch, command

from digits import shipped
from digits.dataset import (
    HELD_OUT_EVERY,
    held_out_split,
    scaled,
    training_split,
    validate_images,
)
from digits.model import best_class

MAX_BATCH_SIZE = 10_000
MAX_SAMPLE = 359

_measured: dict[str, float] = {}


@command
def classify_digits(images: list[list[float]], ctx: Context):
    """Streams `{index, digit, confidence, probabilities}` for each image of 64 numbers 0..16."""
    validate_images(images)
    network, _ = shipped.load()
    for index, image in enumerate(images):
        if ctx.cancelled:
            return
        yield _classified(network, index, image)


@command
@batch(max_size=64, max_wait_ms=20)
def recognize_digit(items: list[dict[str, Any]]) -> list[Any]:
    """`{digit, confidence, together}` of one image for each caller."""
    network, _ = shipped.load()
    return [_recognized(network, item, len(items)) for item in items]


def _recognized(network, item, together):
    """What one caller gets; an exception goes to that caller alone."""
    try:
        image = item["image"]
        validate_images([image])
    except (KeyError, TypeError, ValueError) as error:
        return error
    digit, confidence = network.best(scaled(image))
    return {"digit": digit, "confidence": confidence, "together": together}


@command
def batch_inference(images: list[list[float]], ctx: Context, batch_size: int = 32):
    """Streams one item per batch: `{batch, batches, first_index, results, mean_confidence}`."""
    validate_images(images)
    _require_integer("batch_size", batch_size, 1, MAX_BATCH_SIZE)
    network, _ = shipped.load()
    batches = -(-len(images) // batch_size)
    for batch in range(batches):
        if ctx.cancelled:
            return
        first = batch * batch_size
        results = [
            _classified(network, first + offset, image)
            for offset, image in enumerate(images[first : first + batch_size])
        ]
        yield {
            "batch": batch,
            "batches": batches,
            "first_index": first,
            "results": results,
            "mean_confidence": sum(r["confidence"] for r in results) / len(results),
        }


@command
def digits_sample(count: int = 10, seed: Optional[int] = None) -> dict[str, Any]:
    """Held-out images with their labels, which the network has never seen, to try it on."""
    _require_integer("count", count, 1, MAX_SAMPLE)
    chosen = random.Random(seed).sample(held_out_split(), count)
    return {
        "images": [list(pixels) for pixels, _ in chosen],
        "labels": [label for _, label in chosen],
    }


@command
def digits_info() -> dict[str, Any]:
    """Facts of the shipped model; the accuracy is measured in this process on first use."""
    network, facts = shipped.load()
    if not _measured:
        items = [(scaled(pixels), label) for pixels, label in held_out_split()]
        _measured["accuracy"], _measured["loss"] = network.evaluate(items)
    return {
        "layers": [64, network.hidden, 10],
        "activation": "relu, softmax",
        "held_out_accuracy": _measured["accuracy"],
        "held_out_loss": _measured["loss"],
        "held_out_items": len(held_out_split()),
        "training_items": len(training_split()),
        "split": "every %dth item is held out" % HELD_OUT_EVERY,
        "training_data": "UCI Optical Recognition of Handwritten Digits (test part, 1797 items)",
        "licence": "CC BY 4.0",
        "trained_by": facts["trained_by"],
    }


def _classified(network, index, image):
    probabilities = network.probabilities(scaled(image))
    digit = best_class(probabilities)
    return {
        "index": index,
        "digit": digit,
        "confidence": probabilities[digit],
        "probabilities": probabilities,
    }


def _require_integer(name, value, low, high):
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(
            "%s must be an integer between %d and %d, got %r" % (name, low, high, value)
        )
