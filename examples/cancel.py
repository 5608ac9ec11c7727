"""Ends a run from another thread. Usage: cancel.py MODEL.onnx"""

import sys
import threading

import ai_optix as ox

session = ox.Session(sys.argv[1])
inputs = session.model.sample()
cancellation = ox.Cancellation()
threading.Timer(0.05, cancellation.cancel).start()
runs = 0
try:
    while True:
        session.run(inputs, cancellation=cancellation)
        runs += 1
except ox.CancelledError as error:
    print(f"{error} after {runs} whole runs")
session.run(inputs)
