"""transformers: outputs of models are maps of tensors, and so are what tokenizers return."""

import sys

from ..plugin import Plugin, without_special


class TransformersPlugin(Plugin):
    """Outputs (`ModelOutput`), encodings (`BatchEncoding`) and tensors, told by what they can do: torch need not be imported."""

    package = "transformers"
    denied = frozenset(
        "save_pretrained push_to_hub register_for_auto_class from_pretrained_with_remote_code add_new_pipeline".split()
    )

    def harden(self):
        encoding = getattr(sys.modules.get("transformers.tokenization_utils_base"), "BatchEncoding", None)
        if encoding is not None:
            without_special(encoding)

    def serialize(self, value, encoder):
        items = getattr(value, "items", None)
        if callable(items) and callable(getattr(value, "keys", None)):
            return encoder.encode_map((str(key), _tensor(item)) for key, item in items() if item is not None)
        tensor = _tensor(value)
        return NotImplemented if tensor is value else encoder.encode(tensor)


def _tensor(value):
    """The array of a tensor of torch, tensorflow or jax, on whatever device it is; other values as they are."""
    if callable(getattr(value, "detach", None)) and callable(getattr(value, "cpu", None)):
        value = value.detach().cpu()
    to_numpy = getattr(value, "numpy", None)
    return to_numpy() if callable(to_numpy) and hasattr(value, "shape") else value


PLUGIN = TransformersPlugin()
