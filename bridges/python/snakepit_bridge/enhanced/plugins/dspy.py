"""DSPy: predictions and examples are told by their fields."""

from ..failures import BAD_ARGUMENT, refusal
from ..plugin import Plugin


class DspyPlugin(Plugin):
    """Predictions and examples (`toDict()`), and the settings of language models."""

    package = "dspy"
    denied = frozenset("load save load_state CodeAct ProgramOfThought PythonInterpreter PythonTool".split())

    def serialize(self, value, encoder):
        for method in ("toDict", "to_dict"):
            if callable(getattr(type(value), method, None)):
                return encoder.encode_map(getattr(value, method)().items())
        return NotImplemented

    def configure(self, settings):
        import dspy

        unknown = set(settings) - {"lm", "rm", "adapter", "trace", "track_usage"}
        if unknown:
            raise refusal(
                BAD_ARGUMENT,
                "dspy is configured by lm, rm, adapter, trace and track_usage, not by %s" % ", ".join(sorted(unknown)),
            )
        dspy.settings.configure(**settings)
        return sorted(settings)


PLUGIN = DspyPlugin()
