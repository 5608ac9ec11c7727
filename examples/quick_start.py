"""Loads a model, runs it without a copy, optimises it with proof. Usage: quick_start.py MODEL.onnx"""

import sys

import numpy as np

import ai_optix as ox

path = sys.argv[1]
model = ox.load(path)
print(model)

inputs = model.sample()
with ox.Session(model, threads=2) as session:
    outputs = session.run(inputs)
    for name, y in outputs.items():
        print(name, y.dtype, y.shape)

    buffers = {name: np.empty_like(y) for name, y in outputs.items()}
    session.run(inputs, out=buffers)
    assert all((buffers[name] == outputs[name]).all() for name in outputs)

result = ox.Optimizer(threads=2, seconds=0.5, pass_seconds=0.1).optimize(model)
print(result)
