"""Trains the digits network and writes its weights to apps/demo/data/digits-weights.json.

    python3 apps/demo/scripts/train_digits.py

Deterministic for one Python version: the seed fixes the initial weights and the order of items.
Takes well under a minute.
"""

import os
import platform
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "workers"))

from digits import shipped  # noqa: E402
from digits.dataset import held_out_split, scaled, training_split  # noqa: E402
from digits.model import Network  # noqa: E402

SEED = 7
HIDDEN = 32
EPOCHS = 30
FIRST_LEARNING_RATE = 0.08
LEARNING_RATE_DECAY = 0.9


def main():
    training = [(scaled(pixels), label) for pixels, label in training_split()]
    held_out = [(scaled(pixels), label) for pixels, label in held_out_split()]
    network = Network.initial(SEED, HIDDEN)
    learning_rate = FIRST_LEARNING_RATE
    for epoch in range(EPOCHS):
        loss = network.train_epoch(training, learning_rate, SEED * 1000 + epoch)
        learning_rate *= LEARNING_RATE_DECAY
        print("epoch %2d  training loss %.4f" % (epoch + 1, loss))
    accuracy, loss = network.evaluate(held_out)
    print("held out: accuracy %.4f, loss %.4f, %d items" % (accuracy, loss, len(held_out)))
    shipped.save(
        network,
        {
            "trained_by": "apps/demo/scripts/train_digits.py",
            "python": platform.python_version(),
            "seed": SEED,
            "epochs": EPOCHS,
            "held_out_accuracy_at_training": accuracy,
        },
    )


if __name__ == "__main__":
    main()
