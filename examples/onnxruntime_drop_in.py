"""A program written for onnxruntime; only its import differs. Usage: onnxruntime_drop_in.py MODEL.onnx"""

import sys

import numpy as np

import ai_optix as ort

options = ort.SessionOptions()
options.intra_op_num_threads = 2
options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
session = ort.InferenceSession(sys.argv[1], sess_options=options, providers=["CPUExecutionProvider"])

feeds = {}
for node in session.get_inputs():
    assert node.type == "tensor(float)", node
    feeds[node.name] = np.zeros([axis if isinstance(axis, int) else 1 for axis in node.shape], np.float32)
outputs = session.run(None, feeds)
print([output.name for output in session.get_outputs()], [y.shape for y in outputs])

binding = session.io_binding()
for name, x in feeds.items():
    binding.bind_cpu_input(name, x)
for output in session.get_outputs():
    binding.bind_output(output.name)
session.run_with_iobinding(binding)
assert all(np.array_equal(a, b) for a, b in zip(outputs, binding.copy_outputs_to_cpu()))
