"""Every exception that AI Optix raises on purpose. All derive from ``Error`` and from the built-in one that fits."""

from ._native import (
    CancelledError,
    Error,
    InputTypeError,
    InvalidGraphError,
    InvalidInputError,
    LimitExceededError,
    ModelFormatError,
    NotEnoughDataError,
    ProofFailedError,
    SampleError,
    UnsupportedModelError,
)

__all__ = [
    "CancelledError",
    "Error",
    "InputTypeError",
    "InvalidGraphError",
    "InvalidInputError",
    "LimitExceededError",
    "ModelFormatError",
    "NotEnoughDataError",
    "ProofFailedError",
    "SampleError",
    "UnsupportedModelError",
]
