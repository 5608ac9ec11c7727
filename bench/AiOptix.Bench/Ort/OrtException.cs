using AiOptix.Tensors;

namespace AiOptix.Bench.Ort;

/// <summary>ONNX Runtime refused something; the message is its own, with what was being done in front.</summary>
internal sealed class OrtException(string message) : AiOptixException(message);
