"""Takes a PyTorch module over: exported by PyTorch, optimised and proven on real inputs, run on PyTorch's own memory."""

import torch

import ai_optix as ox

torch.manual_seed(0)
module = torch.nn.Sequential(
    torch.nn.Conv2d(3, 16, 3, padding=1), torch.nn.BatchNorm2d(16), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(16, 10)
).eval()
images = torch.randn(8, 3, 32, 32)

model = ox.load(module, images, input_names=["images"], output_names=["scores"], dynamic_axes={"images": {0: "N"}, "scores": {0: "N"}})
result = ox.Optimizer(threads=2, seconds=0.5, pass_seconds=0.1).optimize(model, data=[{"images": images}, {"images": images[:1]}])
print(result)

session = ox.Session(result.model, threads=2)
scores = torch.from_dlpack(session.run({"images": images})["scores"])
torch.testing.assert_close(scores, module(images).detach(), rtol=1e-3, atol=1e-4)
print("scores", tuple(scores.shape), "input copies", session.copies)
