"""PyTorch modules as ONNX, through PyTorch's own exporter."""

from __future__ import annotations

import io

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def to_onnx(torch: Any, module: Any, example_inputs: Any, options: dict[str, Any]) -> bytes:
    """The bytes of the ONNX file that ``torch.onnx.export`` writes for a module called with the example inputs."""
    if example_inputs is None:
        raise TypeError("a torch.nn.Module needs example inputs: load(module, (x,)), where module(x) is a valid call")
    if not isinstance(example_inputs, tuple):
        example_inputs = (example_inputs,)
    file = io.BytesIO()
    training = module.training
    module.eval()
    try:
        with torch.no_grad():
            torch.onnx.export(module, example_inputs, file, **options)
    finally:
        module.train(training)
    return file.getvalue()
