"""scikit-learn: estimators stay where they are, and are told by what they are."""

import os
import sys

from ..plugin import Plugin, without_special


class SklearnPlugin(Plugin):
    """Estimators: told by their parameters, and by whether they were trained."""

    package = "sklearn"
    denied = frozenset(
        "check_estimator estimator_checks parallel_backend register_parallel_backend show_versions deprecated all_estimators Memory".split()
    )

    def harden(self):
        from sklearn.utils import Bunch

        without_special(Bunch)
        # joblib would start a program to count the processors' cores.
        context = sys.modules.get("joblib.externals.loky.backend.context")
        if getattr(context, "physical_cores_cache", 0) is None:
            context.physical_cores_cache = os.cpu_count() or 1

    def serialize(self, value, encoder):
        get_params = getattr(value, "get_params", None)
        if not callable(get_params) or isinstance(value, type):
            return NotImplemented
        described = encoder.describe(value)
        (content,) = described.values()
        content["params"] = encoder.encode_map(
            (name, setting) for name, setting in get_params(deep=False).items() if _is_plain(setting)
        )
        content["fitted"] = any(name.endswith("_") and not name.startswith("_") for name in vars(value))
        return described


def _is_plain(setting):
    return setting is None or isinstance(setting, (bool, int, float, str))


PLUGIN = SklearnPlugin()
