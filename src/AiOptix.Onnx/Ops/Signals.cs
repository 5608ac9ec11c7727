using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>Fourier transforms and windows of signal processing.</summary>
internal static class Signals
{
    public static OnnxOperator[] Rows { get; } =
    [
        OnnxOperator.Of<DFT>("DFT", ReadDft, (w, op) => w.Emit("DFT", ("inverse", op.Inverse), ("onesided", op.OneSided)), 20),
        OnnxOperator.Of<STFT>("STFT", r => r.Emit(new STFT(r.Bool("onesided", true)), r.InputsFrom(0)), (w, op) => w.Emit("STFT", ("onesided", op.OneSided)), 17),
        Window<HannWindow>("HannWindow", (t, p) => new(t, p)),
        Window<HammingWindow>("HammingWindow", (t, p) => new(t, p)),
        Window<BlackmanWindow>("BlackmanWindow", (t, p) => new(t, p)),
        OnnxOperator.Of<MelWeightMatrix>("MelWeightMatrix", r => r.Emit(new MelWeightMatrix(r.Type("output_datatype") ?? DType.Float32), r.InputsFrom(0)),
            (w, op) => w.Emit("MelWeightMatrix", ("output_datatype", op.To)), 17),
    ];

    /// <summary>Below opset 20 the axis is an attribute.</summary>
    private static void ReadDft(NodeReader r) =>
        r.Emit(new DFT(r.Bool("inverse", false), r.Bool("onesided", false)), r.Required(0), r.Input(1), r.Opset >= 20 ? r.Input(2) : r.Constant(Tensor.Scalar(r.Int("axis", 1))));

    private static OnnxOperator Window<T>(string name, Func<DType, bool, T> make) where T : CosineWindow => OnnxOperator.Of<T>(name,
        r => r.Emit(make(r.Type("output_datatype") ?? DType.Float32, r.Bool("periodic", true)), r.Required(0)), (w, op) => w.Emit(name, ("output_datatype", op.To), ("periodic", op.Periodic)), 17);
}
