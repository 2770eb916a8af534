"""Programs made of modules, as DSPy's are: each has a signature, and what it answers is a prediction with fields.

DSPy itself asks a language model, which nobody has offline; here a naive Bayes classifier that learns from examples answers instead.
"""

from collections import Counter
from math import log

from snakepit_bridge.enhanced import register_serializer


class Prediction:
    """The fields of an answer."""

    def __init__(self, **fields):
        self.fields = fields


@register_serializer(Prediction)
def _told(prediction):
    return prediction.fields


class Classify:
    """`text -> label, confidence`, learned from labelled examples."""

    def __init__(self, labels):
        self.words = {label: Counter() for label in labels}

    def fit(self, texts, labels):
        for text, label in zip(texts, labels):
            self.words[label].update(text.lower().split())
        return self

    def __call__(self, text):
        scores = {label: self._score(text, words) for label, words in self.words.items()}
        best = max(scores, key=scores.get)
        margin = scores[best] - max((score for label, score in scores.items() if label != best), default=0.0)
        return Prediction(label=best, confidence=round(1 - 0.5**margin, 3))

    def predict(self, texts):
        return [self(text).fields["label"] for text in texts]

    @staticmethod
    def _score(text, words):
        total = sum(words.values()) + 1
        return sum(log((words[word] + 0.5) / total) for word in text.lower().split())


class Triage:
    """`text -> queue, urgent`, made of two classifiers."""

    def __init__(self, queue, urgency):
        self.queue = queue
        self.urgency = urgency

    def __call__(self, text):
        queue, urgency = self.queue(text), self.urgency(text)
        return Prediction(queue=queue.fields["label"], urgent=urgency.fields["label"] == "urgent", why=[queue, urgency])
