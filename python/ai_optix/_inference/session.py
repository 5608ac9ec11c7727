"""InferenceSession: onnxruntime's calls over a ``Session``."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import numpy as np

from .. import _native
from .._session import Session
from .binding import IOBinding
from .functions import PROVIDER, check_providers
from .options import GraphOptimizationLevel, RunOptions, SessionOptions
from .ortvalue import OrtValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from .._values import Value


class NodeArg:
    """An input or output.

    Attributes
    ----------
    name : str
    shape : list of int or str or None
    type : str
        ``"tensor(float)"``.
    """

    __slots__ = ("name", "shape", "type")

    def __init__(self, value: Value) -> None:
        self.name = value.name
        self.shape = list(value.shape or ())
        self.type = value.type

    def __repr__(self) -> str:
        return f"NodeArg(name={self.name!r}, type={self.type!r}, shape={self.shape})"


class ModelMetadata:
    """What a model's file says about itself."""

    def __init__(self, metadata: Mapping[str, Any]) -> None:
        self.producer_name: str = metadata["producer"]
        self.graph_name: str = metadata["name"]
        self.domain: str = metadata["domain"]
        self.description: str = metadata["description"]
        self.graph_description: str = metadata["graph_description"]
        self.version: int = metadata["version"]
        self.custom_metadata_map: dict[str, str] = dict(metadata["properties"])


class InferenceSession:
    """A session with the calls of onnxruntime's, for programs that have them already; ``Session`` is the shorter way.

    Parameters
    ----------
    path_or_bytes : str, os.PathLike or bytes
    sess_options : SessionOptions, optional
    providers, provider_options : sequence, optional
        Every provider but the CPU's is said to be missing, once.

    Raises
    ------
    ValueError, OSError, MemoryError, NotImplementedError
        As for ``Session``.
    """

    def __init__(
        self,
        path_or_bytes: Any,
        sess_options: SessionOptions | None = None,
        providers: Sequence[str | tuple[str, dict[str, Any]]] | None = None,
        provider_options: Sequence[dict[str, Any]] | None = None,
        **kwargs: Any,
    ) -> None:
        for name in kwargs.keys() - {"enable_fallback", "read_config_from_model", "disabled_optimizers"}:
            raise TypeError(f"InferenceSession() has no argument '{name}'")
        check_providers(providers)
        self._options = sess_options if sess_options is not None else SessionOptions()
        self._options._warn()
        self._session = Session(
            path_or_bytes,
            threads=self._options.intra_op_num_threads,
            rewrite=self._options.graph_optimization_level != GraphOptimizationLevel.ORT_DISABLE_ALL,
        )
        self._inputs = {value.name: value for value in self._session.inputs}
        self._outputs = [value.name for value in self._session.outputs]

    def run(self, output_names: Sequence[str] | None, input_feed: Mapping[str, Any], run_options: RunOptions | None = None) -> list[Any]:
        """Runs the model.

        Parameters
        ----------
        output_names : sequence of str or None
            Which outputs, in which order; None for all.
        input_feed : mapping of str to array
            As for ``Session.run``; nested lists of numbers are taken too, as arrays of the input's dtype.
        run_options : RunOptions, optional

        Returns
        -------
        list
            Arrays as from ``Session.run``, lists for sequences, dicts for maps.

        Raises
        ------
        InvalidInputError, InputTypeError, TypeError, CancelledError
            As for ``Session.run``.
        """
        for name in output_names or ():
            self._check_name(name, "output")
        feeds = {name: self._feed(name, value) for name, value in input_feed.items()}
        results = self._session._run(feeds, None, True, _cancellation(run_options))
        return [results[name] for name in output_names or self._outputs]

    def run_with_ort_values(
        self, output_names: Sequence[str] | None, input_dict_ort_values: Mapping[str, OrtValue], run_options: RunOptions | None = None
    ) -> list[OrtValue]:
        """The same as ``run``, from OrtValues to OrtValues."""
        return [OrtValue(result) for result in self.run(output_names, input_dict_ort_values, run_options)]

    def run_async(
        self,
        output_names: Sequence[str] | None,
        input_feed: Mapping[str, Any],
        callback: Callable[[list[Any], Any, str], object],
        user_data: Any,
        run_options: RunOptions | None = None,
    ) -> None:
        """Runs on another thread, which then calls ``callback(results, user_data, error)``: an empty list and the error's text when it failed."""

        def work() -> None:
            try:
                results, error = self.run(output_names, input_feed, run_options), ""
            except Exception as e:
                results, error = [], str(e)
            callback(results, user_data, error)

        threading.Thread(target=work, name="ai_optix.run_async", daemon=True).start()

    def io_binding(self) -> IOBinding:
        """A binding for ``run_with_iobinding``."""
        return IOBinding(self)

    def run_with_iobinding(self, iobinding: IOBinding, run_options: RunOptions | None = None) -> None:
        """Runs from and into bound memory."""
        iobinding._run(self._session._run, _cancellation(run_options))

    def get_inputs(self) -> list[NodeArg]:
        return [NodeArg(value) for value in self._session.inputs]

    def get_outputs(self) -> list[NodeArg]:
        return [NodeArg(value) for value in self._session.outputs]

    def get_overridable_initializers(self) -> list[NodeArg]:
        """Always empty: a model's weights are its file's."""
        return []

    def get_modelmeta(self) -> ModelMetadata:
        return ModelMetadata(self._session.model.metadata)

    def get_session_options(self) -> SessionOptions:
        return self._options

    def get_providers(self) -> list[str]:
        return [PROVIDER]

    def get_provider_options(self) -> dict[str, dict[str, str]]:
        return {PROVIDER: {}}

    def set_providers(self, providers: Sequence[str | tuple[str, dict[str, Any]]] | None = None, provider_options: Sequence[dict[str, Any]] | None = None) -> None:
        """Every provider but the CPU's is said to be missing, once."""
        check_providers(providers)

    def enable_fallback(self) -> None:
        """Does nothing: there is one provider."""

    def disable_fallback(self) -> None:
        """Does nothing: there is one provider."""

    def end_profiling(self) -> str:
        """Not possible: a session writes no profile; ``optix bench`` measures one."""
        raise NotImplementedError("an ai_optix session writes no profile; use `python -m ai_optix bench MODEL`")

    def get_profiling_start_time_ns(self) -> int:
        """Not possible: a session writes no profile; ``optix bench`` measures one."""
        raise NotImplementedError("an ai_optix session writes no profile; use `python -m ai_optix bench MODEL`")

    def __repr__(self) -> str:
        return f"Inference{self._session!r}"

    def _repr_html_(self) -> str:
        return self._session._repr_html_()

    def _feed(self, name: str, value: Any) -> Any:
        if type(value) is np.ndarray:
            return value
        if isinstance(value, OrtValue):
            return value._value
        known = self._inputs.get(name)
        if isinstance(value, (list, tuple, int, float)) and known is not None and known.dtype not in (None, "string"):
            return np.array(value, known.dtype)
        return value

    def _check_name(self, name: str, what: str) -> None:
        names = list(self._inputs) if what == "input" else self._outputs
        if name not in names:
            known = ", ".join(f"'{known}'" for known in names)
            raise _native.InvalidInputError(f"the model has no {what} '{name}'; it has {known}")


def _cancellation(options: RunOptions | None) -> _native.Cancellation | None:
    return None if options is None else options._cancellation
