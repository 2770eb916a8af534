"""A network of one hidden layer: 64 pixels -> hidden (ReLU) -> 10 classes (softmax).

    hidden = max(0, W1 x + b1)      probabilities = softmax(W2 hidden + b2)

Trained by stochastic gradient descent on cross-entropy, one item at a time.
"""

import math
import random
from operator import mul

from .dataset import CLASSES, PIXELS


class Network:
    """Weights as lists of rows: `w1[hidden][pixel]`, `b1[hidden]`, `w2[class][hidden]`, `b2`."""

    def __init__(self, w1, b1, w2, b2):
        self.w1, self.b1, self.w2, self.b2 = w1, b1, w2, b2

    @classmethod
    def initial(cls, seed, hidden):
        """Normal weights scaled by the fan-in (He et al., 2015); biases zero."""
        gauss = random.Random(seed).gauss
        spread1, spread2 = math.sqrt(2 / PIXELS), math.sqrt(2 / hidden)
        return cls(
            [[gauss(0, spread1) for _ in range(PIXELS)] for _ in range(hidden)],
            [0.0] * hidden,
            [[gauss(0, spread2) for _ in range(hidden)] for _ in range(CLASSES)],
            [0.0] * CLASSES,
        )

    @property
    def hidden(self):
        return len(self.b1)

    def forward(self, pixels):
        """`(hidden activations, probabilities)` for pixels scaled to 0..1."""
        hidden = [
            max(0.0, bias + sum(map(mul, row, pixels))) for row, bias in zip(self.w1, self.b1)
        ]
        logits = [bias + sum(map(mul, row, hidden)) for row, bias in zip(self.w2, self.b2)]
        return hidden, softmax(logits)

    def probabilities(self, pixels):
        return self.forward(pixels)[1]

    def best(self, pixels):
        """`(class, its probability)`."""
        probabilities = self.probabilities(pixels)
        best = best_class(probabilities)
        return best, probabilities[best]

    def gradient(self, pixels, label):
        """`(loss, class errors, hidden activations, hidden errors)`.

        The gradient of a weight is the error at its output times the activation at its input.
        """
        hidden, probabilities = self.forward(pixels)
        loss = cross_entropy(probabilities, label)
        class_errors = probabilities
        class_errors[label] -= 1.0
        hidden_errors = [
            sum(map(mul, column, class_errors)) if active > 0 else 0.0
            for active, column in zip(hidden, zip(*self.w2))
        ]
        return loss, class_errors, hidden, hidden_errors

    def step(self, pixels, label, learning_rate):
        """One step down the gradient of one item; returns the loss before it."""
        loss, class_errors, hidden, hidden_errors = self.gradient(pixels, label)
        _descend(self.w2, self.b2, class_errors, hidden, learning_rate)
        _descend(self.w1, self.b1, hidden_errors, pixels, learning_rate)
        return loss

    def train_epoch(self, items, learning_rate, seed):
        """One pass over `[(scaled pixels, label)]` in an order drawn from the seed.

        Returns the mean loss, each item's taken just before its step.
        """
        order = list(range(len(items)))
        random.Random(seed).shuffle(order)
        losses = [self.step(*items[index], learning_rate) for index in order]
        return math.fsum(losses) / len(losses) if losses else 0.0

    def evaluate(self, items):
        """`(accuracy, mean loss)` over `[(scaled pixels, label)]`."""
        right, losses = 0, []
        for pixels, label in items:
            probabilities = self.probabilities(pixels)
            right += best_class(probabilities) == label
            losses.append(cross_entropy(probabilities, label))
        return right / len(items), math.fsum(losses) / len(items)


def softmax(logits):
    highest = max(logits)
    powers = [math.exp(logit - highest) for logit in logits]
    total = sum(powers)
    return [power / total for power in powers]


def cross_entropy(probabilities, label):
    return -math.log(max(probabilities[label], 1e-12))


def best_class(probabilities):
    return probabilities.index(max(probabilities))


def _descend(weights, biases, errors, inputs, learning_rate):
    for index, error in enumerate(errors):
        if error:
            rate = learning_rate * error
            weights[index] = [w - rate * x for w, x in zip(weights[index], inputs)]
            biases[index] -= rate
