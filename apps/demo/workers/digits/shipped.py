"""The trained weights that come with the demo."""

import base64
import json
import os

from .dataset import DATA_FOLDER
from .packing import pack, unpack

WEIGHTS_FILE = os.path.join(DATA_FOLDER, "digits-weights.json")

_loaded = []


def save(network, facts):
    document = dict(facts, hidden=network.hidden)
    document["weights_float32_base64"] = base64.b64encode(pack(network)).decode("ascii")
    with open(WEIGHTS_FILE, "w", encoding="ascii", newline="\n") as out:
        json.dump(document, out, indent=2)
        out.write("\n")


def load():
    """`(network, facts)`, read once per process."""
    if not _loaded:
        with open(WEIGHTS_FILE, encoding="ascii") as text:
            facts = json.load(text)
        packed = base64.b64decode(facts.pop("weights_float32_base64"))
        _loaded.append((unpack(packed, facts["hidden"]), facts))
    return _loaded[0]
