"""Options of a session and of a run."""

from __future__ import annotations

import enum

from .. import _native
from .functions import warn_once


class GraphOptimizationLevel(enum.IntEnum):
    """Whether a session rewrites its model: ``ORT_DISABLE_ALL`` compiles the file as it is, every other level applies all rewrites."""

    ORT_DISABLE_ALL = 0
    ORT_ENABLE_BASIC = 1
    ORT_ENABLE_EXTENDED = 2
    ORT_ENABLE_LAYOUT = 3
    ORT_ENABLE_ALL = 99


class ExecutionMode(enum.IntEnum):
    """Steps run one after the other, each on all threads; both values mean that."""

    ORT_SEQUENTIAL = 0
    ORT_PARALLEL = 1


class SessionOptions:
    """Options of an ``InferenceSession``.

    Attributes
    ----------
    intra_op_num_threads : int
        Threads of a run, the calling one included; 0 takes the machine's default.
    graph_optimization_level : GraphOptimizationLevel
    inter_op_num_threads, execution_mode, enable_mem_pattern, enable_mem_reuse, enable_cpu_mem_arena, use_deterministic_compute
        Taken as given: steps run in order, memory is planned, and results never depend on the run or the number of threads.
    log_severity_level, log_verbosity_level, logid
        Taken as given: there is no log.
    enable_profiling, profile_file_prefix, optimized_model_filepath
        Have no effect; a session made with them warns once. ``optix bench`` and ``Optimizer`` do their work.
    """

    def __init__(self) -> None:
        self.intra_op_num_threads = 0
        self.inter_op_num_threads = 0
        self.graph_optimization_level = GraphOptimizationLevel.ORT_ENABLE_ALL
        self.execution_mode = ExecutionMode.ORT_SEQUENTIAL
        self.enable_profiling = False
        self.profile_file_prefix = "onnxruntime_profile_"
        self.optimized_model_filepath = ""
        self.enable_mem_pattern = True
        self.enable_mem_reuse = True
        self.enable_cpu_mem_arena = True
        self.use_deterministic_compute = False
        self.log_severity_level = -1
        self.log_verbosity_level = 0
        self.logid = ""
        self._entries: dict[str, str] = {}

    def add_session_config_entry(self, key: str, value: str) -> None:
        """Remembers an entry; none has an effect, and a session made with one warns once."""
        self._entries[key] = value

    def get_session_config_entry(self, key: str) -> str:
        """The value of an entry.

        Raises
        ------
        RuntimeError
            There is no such entry.
        """
        if key not in self._entries:
            raise RuntimeError(f"the session options have no entry '{key}'")
        return self._entries[key]

    def has_session_config_entry(self, key: str) -> bool:
        """Whether there is an entry."""
        return key in self._entries

    def add_free_dimension_override_by_name(self, name: str, value: int) -> None:
        """Not needed: one program serves all extents."""
        warn_once("free dimension overrides have no effect: one program serves all extents")

    def add_free_dimension_override_by_denotation(self, denotation: str, value: int) -> None:
        """Not needed: one program serves all extents."""
        warn_once("free dimension overrides have no effect: one program serves all extents")

    def register_custom_ops_library(self, path: str) -> None:
        """Not possible: native libraries of operators cannot be loaded."""
        raise NotImplementedError(f"ai_optix cannot load a native library of operators ('{path}')")

    def add_initializer(self, name: str, value: object) -> None:
        """Not possible: a model's weights are its file's."""
        raise NotImplementedError(f"ai_optix cannot replace the weight '{name}' of a model; change the file")

    def add_external_initializers(self, names: list[str], values: list[object]) -> None:
        """Not possible: a model's weights are its file's."""
        raise NotImplementedError(f"ai_optix cannot replace the weights {', '.join(names)} of a model; change the file")

    def _warn(self) -> None:
        if self.enable_profiling:
            warn_once("SessionOptions.enable_profiling has no effect: use `python -m ai_optix bench`")
        if self.optimized_model_filepath:
            warn_once("SessionOptions.optimized_model_filepath has no effect: use ai_optix.Optimizer, and save its result")
        for key in self._entries:
            warn_once(f"the session config entry '{key}' has no effect")


class RunOptions:
    """Options of one or more runs.

    Attributes
    ----------
    terminate : bool
        Set to True, from any thread, it ends the runs that were given these options; set to False it allows new ones.
    log_severity_level, log_verbosity_level, logid
        Taken as given: there is no log.
    only_execute_path_to_fetches
        Taken as given.
    """

    def __init__(self) -> None:
        self.log_severity_level = -1
        self.log_verbosity_level = 0
        self.logid = ""
        self.only_execute_path_to_fetches = False
        self._cancellation = _native.Cancellation()
        self._entries: dict[str, str] = {}

    @property
    def terminate(self) -> bool:
        return self._cancellation.cancelled

    @terminate.setter
    def terminate(self, value: bool) -> None:
        if value:
            self._cancellation.cancel()
        elif self._cancellation.cancelled:
            self._cancellation = _native.Cancellation()

    def add_run_config_entry(self, key: str, value: str) -> None:
        """Remembers an entry; none has an effect, which is said once."""
        self._entries[key] = value
        warn_once(f"the run config entry '{key}' has no effect")

    def get_run_config_entry(self, key: str) -> str:
        """The value of an entry.

        Raises
        ------
        RuntimeError
            There is no such entry.
        """
        if key not in self._entries:
            raise RuntimeError(f"the run options have no entry '{key}'")
        return self._entries[key]
