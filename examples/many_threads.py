"""One session, many threads: the GIL is released while each runs. Usage: many_threads.py MODEL.onnx"""

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import ai_optix as ox

session = ox.Session(sys.argv[1], threads=1)
batches = [session.model.sample(seed) for seed in range(16)]
expected = [{name: np.copy(y) for name, y in session.run(batch).items()} for batch in batches]

with ThreadPoolExecutor(4) as pool:
    for i, outputs in enumerate(pool.map(session.run, batches)):
        assert all(np.array_equal(outputs[name], expected[i][name]) for name in outputs)
print("16 runs on 4 threads gave the same bits as 16 runs on one")
