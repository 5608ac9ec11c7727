"""Module-level functions."""

from __future__ import annotations

import warnings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

PROVIDER = "CPUExecutionProvider"
_told: set[str] = set()


def warn_once(message: str) -> None:
    """Says in this process once that a setting has no effect."""
    if message not in _told:
        _told.add(message)
        warnings.warn(message, UserWarning, stacklevel=4)


def check_providers(providers: Sequence[str | tuple[str, dict[str, Any]]] | None) -> None:
    """Warns about execution providers that are not there; the CPU's is always used."""
    for provider in providers or ():
        name = provider if isinstance(provider, str) else provider[0]
        if name != PROVIDER:
            warn_once(f"there is no execution provider '{name}'; ai_optix runs on {PROVIDER}")


def get_available_providers() -> list[str]:
    """The execution providers of this build: the CPU's."""
    return [PROVIDER]


def get_all_providers() -> list[str]:
    """The execution providers that any build may have: the CPU's."""
    return [PROVIDER]


def get_device() -> str:
    """``"CPU"``."""
    return "CPU"


def set_default_logger_severity(severity: int) -> None:
    """Takes a level from 0 to 4; ai_optix keeps no log, so it changes nothing."""
    if not 0 <= severity <= 4:
        raise ValueError(f"a severity lies from 0 (verbose) to 4 (fatal), found {severity}")


def set_default_logger_verbosity(verbosity: int) -> None:
    """Takes a level; ai_optix keeps no log, so it changes nothing."""


def set_seed(seed: int) -> None:
    """Takes a seed; operators draw from the seeds of their own attributes, so it changes nothing, and warns."""
    warn_once("set_seed has no effect: operators draw from the seeds of their own attributes")
