"""What the C# side of the package offers. The public layer wraps it; programs use that.

Every function and method holds two promises: the GIL is released while C# works for longer than it takes to look at the
arguments, and a failure raises one of the exceptions below or a built-in one, never anything else. In a forked child
every call raises RuntimeError.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, final

__version__: str

class Error(Exception): ...
class ModelFormatError(Error, ValueError): ...
class InvalidGraphError(Error, ValueError): ...
class UnsupportedModelError(Error, NotImplementedError): ...
class InvalidInputError(Error, ValueError): ...
class InputTypeError(Error, TypeError): ...
class LimitExceededError(Error, MemoryError): ...
class NotEnoughDataError(Error, ValueError): ...
class ProofFailedError(Error, ArithmeticError): ...
class SampleError(Error, ValueError):
    """A sample could not be read, and the loader was told to raise; the reason is its ``__cause__``."""
class CancelledError(Error, RuntimeError): ...

# Name, dtype and shape of an input or output. The dtype is "float32", "bfloat16", "string", …, or None where the value is no
# tensor; the shape has an int, a symbolic name or None for each axis, or is None as a whole where the rank is not known.
# The last item writes the type in ONNX's words: "tensor(float)", "seq(tensor(int64))".
_Value = tuple[str, str | None, tuple[int | str | None, ...] | None, str]

@final
class Tensor:
    """Memory of AI Optix, or memory that it borrows, as Python sees it: buffer protocol and DLPack, both without a copy.

    It lives as long as anybody holds it or a view of it. Types that the buffer protocol has no letter for (bfloat16, the
    8-bit floats, 4-bit and 2-bit types) are exported as a vector of their bytes.
    """

    @property
    def dtype(self) -> str: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def nbytes(self) -> int: ...
    @property
    def address(self) -> int: ...
    @property
    def readonly(self) -> bool: ...
    def strings(self) -> list[str]:
        """The elements of a string tensor, row-major."""
    def __dlpack__(self, *, stream: Any = None, max_version: tuple[int, int] | None = None, dl_device: tuple[int, int] | None = None, copy: bool | None = None) -> Any: ...
    def __dlpack_device__(self) -> tuple[int, int]: ...

def from_buffer(obj: Any, dtype: str | None, shape: tuple[int, ...] | None, /) -> Tensor:
    """A tensor over the memory of a C-contiguous exporter of the buffer protocol. dtype and shape reinterpret its bytes; None
    takes what the exporter says."""

def from_dlpack(obj: Any, /) -> Tensor:
    """A tensor over the memory of an object with __dlpack__, on the CPU and contiguous."""

def from_strings(strings: Sequence[str], shape: tuple[int, ...], /) -> Tensor:
    """A tensor of copies of the strings."""

@final
class Cancellation:
    """Ends runs from another thread: pass it to run, call cancel."""

    def __new__(cls) -> Cancellation: ...
    def cancel(self) -> None: ...
    @property
    def cancelled(self) -> bool: ...

@final
class Tuning:
    """Which kernels won when they were timed, by problem. Nothing changes it."""

    @staticmethod
    def load(path: str | None, /) -> Tuning: ...
    @staticmethod
    def of(winners: Mapping[str, str], /) -> Tuning: ...
    @property
    def winners(self) -> tuple[tuple[str, str], ...]:
        """Each problem and its winning kernel."""
    @property
    def notices(self) -> tuple[str, ...]:
        """What was left out of the file that it was read from, and why."""
    def save(self, path: str | None, /) -> str:
        """Writes a file; gives its path."""

@final
class Model:
    """A loaded model. Nothing changes it; threads may share it."""

    @staticmethod
    def load(source: str | bytes, folder: str | None, limits: Mapping[str, int | float] | None, /) -> Model:
        """From a path, or from the bytes of a file with the folder of its external data."""
    @property
    def name(self) -> str: ...
    @property
    def inputs(self) -> tuple[_Value, ...]: ...
    @property
    def outputs(self) -> tuple[_Value, ...]: ...
    @property
    def metadata(self) -> str:
        """JSON: name, producer, domain, version, description, graph_description, ir_version, opsets (an object), properties (an object)."""
    def operators(self) -> tuple[tuple[str, int, bool], ...]:
        """Each operator of the main graph and its subgraphs: its name, how often it occurs, whether it is supported."""
    @property
    def notice(self) -> str | None:
        """Why a saved program was not used and its model compiled anew."""
    def tune(self, known: Tuning | None, seconds: float, /) -> tuple[Tuning, tuple[tuple[str, str, str, float, float, float], ...]]:
        """What was known and what won, and (problem, pick, kernel, ratio, low, high) of what was timed."""
    def save_compiled(self, path: str, rewrite: bool, isa: Literal["none", "avx2", "avx512"], limits: Mapping[str, int | float] | None, tuning: Tuning | None, /) -> None: ...
    def save(self, path: str, /) -> None: ...
    def sample(self, seed: int, dims: Mapping[str, int], /) -> dict[str, Any]:
        """Inputs drawn from the seed within the types and shapes of the model."""

@final
class Session:
    """A compiled model, ready to run from any number of threads."""

    @staticmethod
    def create(model: Model, threads: int, rewrite: bool, isa: Literal["none", "avx2", "avx512"], limits: Mapping[str, int | float] | None, tuning: Tuning | None, /) -> Session: ...
    @property
    def threads(self) -> int: ...
    @property
    def copies(self) -> int:
        """How many inputs were copied because they were strided or byte-swapped."""
    @property
    def inputs(self) -> tuple[_Value, ...]: ...
    @property
    def outputs(self) -> tuple[_Value, ...]: ...
    def run(self, inputs: dict[str, Any], out: dict[str, Any] | None, copy: bool, cancellation: Cancellation | None, /) -> dict[str, Any]:
        """All outputs by name: the caller's own objects where out names them, what the wrap function made of the rest.

        Inputs and out take exporters of the buffer protocol, objects with __dlpack__, Tensors; where the model says so lists
        (sequences), dicts (maps) and None (empty optionals).
        """
    def close(self) -> None:
        """Waits for runs in flight and gives everything back; a later run raises ValueError."""
    @property
    def closed(self) -> bool: ...

@final
class Loader:
    """A data set and how it is read in batches."""

    @staticmethod
    def create(source: str, options: str, objects: list[Any], limits: Mapping[str, int | float] | None, /) -> Loader:
        """Opens a source. source and options are JSON, which refers to objects by number: Tensors and callables."""
    @property
    def count(self) -> int | None:
        """Batches an epoch; None for an iterable."""
    @property
    def epoch(self) -> int: ...
    @property
    def classes(self) -> tuple[str, ...]: ...
    @property
    def error_count(self) -> int: ...
    @property
    def errors(self) -> list[tuple[int, str, int | None]]: ...
    def begin(self) -> Reader:
        """Begins an epoch, or goes on where a state says."""
    def state(self) -> str: ...
    def load_state(self, state: str, /) -> None: ...

@final
class Reader:
    """One pass over a data set."""

    def next(self) -> dict[str, Any] | None:
        """The next batch, what the wrap function made of each field; None at the end. KeyboardInterrupt gets through."""
    def stop(self) -> None:
        """Ends the workers and waits a little for them."""
    @property
    def indices(self) -> list[int]: ...

def optimize(model: Model, samples: Sequence[dict[str, Any]], threads: int, tolerance: tuple[float, float, float], seconds: float, pass_seconds: float,
             progress: Callable[[str, float], object] | None, budget: dict[str, Any] | None, labels: Sequence[Any] | None, known: Tuning | None, kernel_seconds: float, /) -> tuple[Model, str, str | None, Tuning | None]:
    """The optimised model, the result as JSON, of the form that `optix optimize --json` writes, the recipe of a search as JSON, and the winners of tuning.

    tolerance is (rtol, atol, scaled_atol). progress(stage, done) is called on this thread; what it raises ends the optimisation. budget has
    max_accuracy_drop, max_error, metric (a name, None, or a function of an index and outputs that gives a tuple of floats, called on this
    thread), objective, time, allow_little_data, seed, state and recipe. labels holds an array of integers for each sample.
    With known, kernels are timed for kernel_seconds each before they are chosen, where it does not know them.
    """

def samples(model: Model, path: str, batch: int, /) -> tuple[dict[str, Any], ...]:
    """The samples of a file or folder, as `optix optimize --data` reads them."""

def report(result: str, model: str, command: str, /) -> str:
    """The page of a result that `optimize` gave as JSON."""

def machine() -> str:
    """JSON: processor, system, runtime, instruction_sets, logical_cores, physical_cores, quota, default_threads, memory_bytes."""

def configure(wrap: Callable[[Tensor], Any], prepare: Callable[[Any, str | None, str], tuple[Any, bool]], /) -> None:
    """What the public layer adds.

    wrap turns a finished Tensor into what run returns. prepare(object, dtype, what) turns an input that cannot be
    borrowed in place (strided, byte-swapped, of strings, of a dtype that the buffer protocol does not know) into one that can,
    or a Tensor, and says whether that took a copy; what is the input's name for messages.
    """

def fork_flag() -> int:
    """The address of the int that is not 0 in a forked child."""

def shutdown() -> None:
    """Cancels runs in flight and waits for them; every later call raises RuntimeError. The interpreter's exit calls it."""
