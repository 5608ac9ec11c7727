"""Inputs and outputs bound once, run many times."""

from __future__ import annotations

import numpy as np

from .. import _arrays
from .ortvalue import OrtValue, at, check_device

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .session import InferenceSession


class IOBinding:
    """Inputs and outputs of a session, bound to memory. ``InferenceSession.io_binding`` makes one."""

    def __init__(self, session: InferenceSession) -> None:
        self._session = session
        self._inputs: dict[str, Any] = {}
        self._outputs: dict[str, Any] = {}
        self._results: dict[str, Any] = {}

    def bind_cpu_input(self, name: str, arr_on_cpu: np.ndarray[Any, Any]) -> None:
        """Binds an input to an array."""
        self._session._check_name(name, "input")
        self._inputs[name] = arr_on_cpu

    def bind_ortvalue_input(self, name: str, ortvalue: OrtValue) -> None:
        """Binds an input to an OrtValue."""
        self.bind_cpu_input(name, ortvalue._value)

    def bind_input(self, name: str, device_type: str, device_id: int, element_type: Any, shape: Sequence[int], buffer_ptr: int) -> None:
        """Binds an input to memory at an address, which the caller keeps alive while it is bound."""
        check_device(device_type, device_id)
        self.bind_cpu_input(name, at(buffer_ptr, element_type, shape))

    def bind_output(
        self,
        name: str,
        device_type: str = "cpu",
        device_id: int = 0,
        element_type: Any = None,
        shape: Sequence[int] | None = None,
        buffer_ptr: int | None = None,
    ) -> None:
        """Binds an output to memory at an address, or, without one, to what each run lends."""
        check_device(device_type, device_id)
        self._session._check_name(name, "output")
        if buffer_ptr is None:
            self._outputs[name] = None
        elif element_type is None or shape is None:
            raise ValueError("memory for an output takes its element_type and shape")
        else:
            self._outputs[name] = at(buffer_ptr, element_type, shape)

    def bind_ortvalue_output(self, name: str, ortvalue: OrtValue) -> None:
        """Binds an output to the memory of an OrtValue."""
        self._session._check_name(name, "output")
        self._outputs[name] = ortvalue._value

    def synchronize_inputs(self) -> None:
        """Does nothing: main memory is always in step."""

    def synchronize_outputs(self) -> None:
        """Does nothing: main memory is always in step."""

    def get_outputs(self) -> list[OrtValue]:
        """The outputs of the last run, in the order in which they were bound."""
        return [OrtValue(value) for value in self._results.values()]

    def get_outputs_as_ortvaluevector(self) -> list[OrtValue]:
        """The same as ``get_outputs``."""
        return self.get_outputs()

    def copy_outputs_to_cpu(self) -> list[Any]:
        """Copies of the outputs of the last run, as arrays, in the order in which they were bound."""
        return [np.array(_arrays.to_numpy(value)) if _arrays.is_tensor(value) else value for value in self._results.values()]

    def clear_binding_inputs(self) -> None:
        """Lets go of all inputs."""
        self._inputs.clear()

    def clear_binding_outputs(self) -> None:
        """Lets go of all outputs, those of the last run included."""
        self._outputs.clear()
        self._results.clear()

    def _run(self, run: Any, cancellation: Any) -> None:
        given = {name: value for name, value in self._outputs.items() if value is not None}
        results = run(self._inputs, given or None, True, cancellation)
        self._results = {name: results[name] for name in self._outputs}
