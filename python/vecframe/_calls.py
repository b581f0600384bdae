"""Between the executor and embedders that are written in Python: reads descriptors, calls, and reads answers.

An answer goes to C++ as a float32 matrix, as a list of float32 vectors and texts that are errors, or as a tuple that
tells a failure: its kind ("rows", "transient", "run"), a message, and seconds to wait or None.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from vecframe._arguments import suggestion
from vecframe._native import Description, RequestError, RunError

# The words of a call that a provider may want to know of, and which may stand in get_options().
CALL_WORDS = ("batch_size", "concurrency", "max_retries", "num_gpus", "on_error")
_GETTERS = {"embed_image": "get_image_embedder", "embed_text": "get_text_embedder"}

Failure = tuple[str, str, float | None]


def describe(provider: Any, function: str, model: str | None, dimensions: int | None, options: dict[str, Any]) -> Description:
    """Asks a provider for its descriptor, and reads it."""
    descriptor = descriptor_of(provider, function, model, dimensions, options)
    return read(descriptor, function)


def descriptor_of(
    provider: Any, function: str, model: str | None, dimensions: int | None, options: dict[str, Any]
) -> Any:
    """What the provider makes of these words; options that its method does not take are refused."""
    getter = getattr(provider, _GETTERS[function], None)
    if getter is None:
        from vecframe.provider import ProviderNotImplementedError

        raise ProviderNotImplementedError(
            f"{function} is not currently implemented for the '{provider.name}' provider"
        )
    parameters = inspect.signature(getter).parameters
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    words: dict[str, Any] = {}
    for name, value in options.items():
        if takes_any or name in parameters:
            words[name] = value
        elif name not in CALL_WORDS:
            names = [word for word in parameters if word not in ("self", "model")]
            near = suggestion(name, names) or f"; '{provider.name}' has {', '.join(names) or 'no options'}"
            raise RequestError(f"{function}: unknown option '{name}'{near}")
    if dimensions is not None and "dimensions" in parameters:
        words["dimensions"] = dimensions
    try:
        return getter(model, **words)
    except NotImplementedError as error:
        if isinstance(error, RequestError):
            raise
        from vecframe.provider import ProviderNotImplementedError

        raise ProviderNotImplementedError(str(error)) from error


def read(descriptor: Any, function: str) -> Description:
    options = _udf_options(descriptor)
    dimensions = descriptor.get_dimensions()
    size = getattr(dimensions, "size", dimensions)
    if isinstance(size, bool) or not hasattr(size, "__index__"):
        raise RequestError(f"{function}: get_dimensions() gives {dimensions!r}; give an int, or an object with .size")
    is_async = bool(getattr(descriptor, "is_async", lambda: False)())
    return Description(
        provider=str(descriptor.get_provider()),
        model=str(descriptor.get_model()),
        dimension=size.__index__(),
        details={},
        is_async=is_async,
        batch_size=options.get("batch_size"),
        concurrency=options.get("concurrency"),
        max_retries=3 if options.get("max_retries") is None else options["max_retries"],
        num_gpus=float(options.get("num_gpus") or 0),
        make=_AsyncMaker(descriptor, function) if is_async else _SyncMaker(descriptor, function),
    )


def _udf_options(descriptor: Any) -> dict[str, Any]:
    if hasattr(descriptor, "get_udf_options"):
        given = descriptor.get_udf_options()
    else:
        given = getattr(descriptor, "get_options", dict)()
    if isinstance(given, dict):
        return {word: given.get(word) for word in CALL_WORDS}
    return {word: getattr(given, word, None) for word in CALL_WORDS}


class _SyncMaker:
    def __init__(self, descriptor: Any, function: str) -> None:
        self._descriptor, self._function = descriptor, function

    def __call__(self, stopped: Callable[[], bool]) -> Callable[[list[Any]], Any]:
        embed = getattr(self._descriptor.instantiate(), self._function)

        def call(rows: list[Any]) -> Any:
            try:
                result = embed(rows)
            except Exception as error:  # handed on: which rows are at fault is found out there
                return failure(error)
            if inspect.iscoroutine(result):
                result.close()
                return ("run", f"{self._function} is async, but the descriptor's is_async() gives False", None)
            return answer(result)

        return call


class _AsyncMaker:
    def __init__(self, descriptor: Any, function: str) -> None:
        self._descriptor, self._function = descriptor, function

    def __call__(self, stopped: Callable[[], bool]) -> Any:
        from vecframe._event_loop import AsyncCalls

        return AsyncCalls(self._descriptor, self._function, stopped)


def failure(error: BaseException) -> Failure:
    """Whether what was raised may pass, ends the run, or may be the fault of a row."""
    told = str(error)
    message = f"{type(error).__name__}: {told}" if told else type(error).__name__
    if isinstance(error, RunError):
        return "run", told, None
    seconds = getattr(error, "retry_after", None)
    if isinstance(seconds, (int, float)) and not isinstance(seconds, bool):
        return "transient", message, float(seconds)
    if isinstance(error, (ConnectionError, TimeoutError)):
        return "transient", message, None
    return "rows", message, None


def answer(result: Any) -> Any:
    """Vectors as C++ takes them. A row that is no vector is its own error."""
    import numpy

    shape = getattr(result, "shape", None)
    if shape is not None and len(shape) == 2:
        try:
            return numpy.ascontiguousarray(result, dtype=numpy.float32)
        except (TypeError, ValueError) as error:
            return failure(error)
    if not isinstance(result, Iterable) or isinstance(result, (str, bytes, dict)):
        return ("rows", f"the embedder gave a {type(result).__name__}; give a list of vectors, or a 2-D array", None)
    return [_vector(row, numpy) for row in result]


def _vector(row: Any, numpy: Any) -> Any:
    if row is None:
        return "the embedder gave None for this row"
    try:
        vector = numpy.ascontiguousarray(row, dtype=numpy.float32)
    except (TypeError, ValueError) as error:
        return f"the embedder gave no vector of numbers: {error}"
    if vector.ndim != 1 or isinstance(row, (int, float)):
        return f"the embedder gave an array of shape {getattr(row, 'shape', vector.shape)}; give 1-D vectors"
    return vector
