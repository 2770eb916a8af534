"""Models with the methods that scikit-learn has made customary: fit, predict and the like."""

from time import perf_counter

from .failures import BAD_ARGUMENT, refusal

_PREDICTIONS = frozenset(
    ("predict", "predict_proba", "predict_log_proba", "decision_function", "transform", "score_samples", "fit_predict")
)


class Models:
    """Creates, trains and asks models of any library of the allow-list, that of the user's own included."""

    def create(self, caller, target, params, store_as):
        """Call a class with parameters, and store the model. Raises Refusal for what cannot be trained."""
        if store_as is None:
            raise refusal(BAD_ARGUMENT, "a model is stored: name it by 'storeAs'")
        caller.check_store_as(store_as)
        model = caller.invoke(target, [], params or {})
        if not callable(getattr(model, "fit", None)):
            raise refusal(
                BAD_ARGUMENT,
                "'%s' makes %s, which has no method fit and so is no model" % (target, type(model).__qualname__),
                target=target,
            )
        return caller.put(store_as, model)

    def train(self, caller, name, data, target, features, params):
        """Fit a stored model to a table whose column `target` is what it has to learn, or to a pair of both."""
        path = _path(name)
        inputs, expected = _split(data, target, features)
        arguments = [inputs] if expected is None else [inputs, expected]
        fit = caller.resolve(path + ".fit")
        began = perf_counter()
        fit(*arguments, **caller.decode(params or {}))
        seconds = perf_counter() - began
        model = caller.resolve(path)
        has_score = expected is not None and callable(getattr(model, "score", None))
        score = caller.resolve(path + ".score")(inputs, expected) if has_score else None
        if path in caller.objects:
            caller.objects.put(path, model)  # it has grown
        return {
            "model": path,
            "rows": len(inputs),
            "features": _names(inputs),
            "seconds": seconds,
            **({} if score is None else {"score": float(score)}),
        }

    def predict(self, caller, name, data, method, features, store_as):
        """What a method of the model makes of rows."""
        if method not in _PREDICTIONS:
            raise refusal(BAD_ARGUMENT, "a model is asked by one of %s, not %.60r" % (", ".join(sorted(_PREDICTIONS)), method))
        caller.check_store_as(store_as)
        inputs = data if features is None else _columns(data, features)
        return caller.answer(caller.resolve("%s.%s" % (_path(name), method))(inputs), store_as)


def _path(name):
    return name.get("@ref") if isinstance(name, dict) else name


def _split(data, target, features):
    if isinstance(data, dict) and set(data) <= {"X", "y"} and "X" in data:
        return data["X"], data.get("y")
    if target is None:
        return (data if features is None else _columns(data, features)), None
    expected = _columns(data, [target])[target]
    chosen = [name for name in data.columns if name != target] if features is None else features
    return _columns(data, chosen), expected


def _columns(data, names):
    if not hasattr(data, "columns"):
        raise refusal(
            BAD_ARGUMENT,
            "'target' and 'features' name columns of a table, and the data is %s; give {X, y} instead" % type(data).__qualname__,
        )
    missing = [name for name in names if name not in data.columns]
    if missing:
        raise refusal(
            BAD_ARGUMENT,
            "the table has no column %s; it has %s" % (", ".join(map(repr, missing)), ", ".join(map(str, data.columns))[:1000]),
        )
    return data[list(names)]


def _names(inputs):
    columns = getattr(inputs, "columns", None)
    return None if columns is None else [str(name) for name in columns]
