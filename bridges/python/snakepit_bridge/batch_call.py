"""Calls handlers that take batches, and shares out what they return."""

from .batching import BatchAnswer
from .errors import (
    FRAME_TOO_LARGE,
    INVALID_ARGUMENTS,
    INVALID_RESULT,
    Refusal,
    error_data,
    error_map,
    refusal_map,
    shorten,
)

_ENTRY_BYTES = 16  # what surrounds one result, or one error, at most


def run_batch(command, items, context):
    """Give a handler the arguments of several calls. Returns a BatchAnswer, or what can be awaited for one."""
    if type(items) is not list:
        raise Refusal(INVALID_ARGUMENTS, "%s: the arguments of a batch are no list" % command.name)
    taken, refused = _converted(command, items)
    if not taken and refused:
        return BatchAnswer([None] * len(items), refused)
    answer = _afterwards(command.call_with(taken, context), lambda returned: _answer_of(command, returned, len(taken)))
    return _afterwards(answer, lambda given: _with_refused(given, refused, len(items))) if refused else answer


def run_single(command, arguments, context):
    """Give a handler that takes batches the arguments of one call. Returns its result, or what can be awaited for it."""
    (taken,) = _contract_converted(command, [arguments])
    return _afterwards(command.call_with([taken], context), lambda returned: _only_result(command, returned))


def encode_answer(answer, encoder, in_arena):
    """Encode `[results, errors]` as `(flags, bytes)`. A result that cannot be sent becomes the error of its own call."""
    errors = [[index, _described(error, encoder)] for index, error in answer.errors]
    try:
        return encoder.encode_value([answer.results, errors or None], "result", in_arena)
    except Refusal:
        results, errors = _without_unsendable(answer.results, errors, encoder)
        return encoder.encode_value([results, errors or None], "result", in_arena)


def _afterwards(returned, finish):
    if not hasattr(returned, "__await__"):
        return finish(returned)

    async def finish_later():
        return finish(await returned)

    return finish_later()


def _contract_converted(command, items):
    contract = command.contract
    return items if contract is None else [contract.convert(command.name, item) for item in items]


def _converted(command, items):
    """The arguments as the handler is to have them, without those that do not fit, of which it returns `[index, Refusal]`."""
    taken, refused = [], []
    for index, item in enumerate(items):
        try:
            taken.extend(_contract_converted(command, [item]))
        except Refusal as refusal:
            refused.append((index, refusal))
    return taken, refused


def _with_refused(answer, refused, count):
    """The answer of a handler that got some of the calls, as that of all."""
    gone = {index for index, _ in refused}
    places = [index for index in range(count) if index not in gone]
    results = [None] * count
    for place, result in zip(places, answer.results):
        results[place] = result
    return BatchAnswer(results, [*refused, *((places[index], error) for index, error in answer.errors)])


def _answer_of(command, returned, count):
    results = _listed(command, returned, count)
    errors = [(index, result) for index, result in enumerate(results) if isinstance(result, BaseException)]
    for index, _ in errors:
        results[index] = None
    return BatchAnswer(results, errors)


def _only_result(command, returned):
    (result,) = _listed(command, returned, 1)
    if isinstance(result, BaseException):
        raise result
    return result


def _listed(command, returned, count):
    """A list of its own of what a handler returned. Raises Refusal unless there is one result for each call."""
    listed = returned.tolist() if hasattr(returned, "tolist") else returned
    if not isinstance(listed, (list, tuple)):
        made = "%s for a batch of %d calls" % (type(returned).__name__, count)
    elif len(listed) != count:
        made = "%d results for a batch of %d calls" % (len(listed), count)
    else:
        return list(listed)
    raise Refusal(INVALID_RESULT, "%s returned %s; it has to return a list of one for each call, in order" % (command.name, made))


def _described(error, encoder):
    described = error_map(error)
    if encoder.encode_data(error) is not None:
        described["data"] = error_data(error)
    return described


def _without_unsendable(results, errors, encoder):
    """The same with an error in place of each result that cannot be encoded, or for which there is no room."""
    results, errors = list(results), [[index, shorten(described)] for index, described in errors]
    sizes = {}
    for index, result in enumerate(results):
        try:
            sizes[index] = len(encoder.encode_value(result, "result")[1]) + _ENTRY_BYTES
        except Refusal as refusal:
            results[index] = None
            errors.append([index, refusal_map(refusal.code, str(refusal))])
    room = encoder.max_frame_bytes - sum(len(encoder.encode_value(entry, "error")[1]) + _ENTRY_BYTES for entry in errors)
    for index in sorted(sizes, key=sizes.get, reverse=True):
        if sum(sizes.values()) <= room:
            break
        message = "the result takes %d bytes; there is no room for it beside the others of its batch" % sizes.pop(index)
        results[index] = None
        errors.append([index, refusal_map(FRAME_TOO_LARGE, message)])
        room -= len(message) + 4 * _ENTRY_BYTES
    return results, errors
