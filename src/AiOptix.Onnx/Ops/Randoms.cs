using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>Operators that draw random values.</summary>
internal static class Randoms
{
    public static OnnxOperator[] Rows { get; } =
    [
        OnnxOperator.ReadOnly("RandomNormal", r => ReadTensor(r, Normal(r))),
        OnnxOperator.ReadOnly("RandomUniform", r => ReadTensor(r, Uniform(r))),
        OnnxOperator.ReadOnly("RandomNormalLike", r => ReadLike(r, Normal(r))),
        OnnxOperator.ReadOnly("RandomUniformLike", r => ReadLike(r, Uniform(r))),
        OnnxOperator.WriteOnly<RandomTensor>((w, op) => w.Emit(op.Name, [.. Attributes(op.Distribution), ("shape", op.Extents), ("dtype", op.Type), ("seed", op.Seed)]), 1),
        OnnxOperator.WriteOnly<RandomLike>((w, op) => w.Emit(op.Name, [.. Attributes(op.Distribution), ("dtype", op.Type), ("seed", op.Seed)]), 1),
        OnnxOperator.Of<Bernoulli>("Bernoulli", r => r.Emit(new Bernoulli(r.Type("dtype"), r.OptionalFloat("seed")), r.Required(0)), (w, op) => w.Emit("Bernoulli", ("dtype", op.Type), ("seed", op.Seed)), 15),
        OnnxOperator.Of<Multinomial>("Multinomial", r => r.Emit(new Multinomial(r.Int("sample_size", 1), r.Type("dtype") ?? DType.Int32, r.OptionalFloat("seed")), r.Required(0)),
            (w, op) => w.Emit("Multinomial", ("sample_size", op.Samples), ("dtype", op.Type), ("seed", op.Seed)), 7),
    ];

    private static Distribution Normal(NodeReader r) => new(true, r.Float("mean", 0), r.Float("scale", 1));

    private static Distribution Uniform(NodeReader r) => new(false, r.Float("low", 0), r.Float("high", 1));

    private static (string, object?)[] Attributes(Distribution d) => d.IsNormal ? [("mean", d.A), ("scale", d.B)] : [("low", d.A), ("high", d.B)];

    private static void ReadTensor(NodeReader r, Distribution distribution) =>
        r.Emit(new RandomTensor(distribution, r.Ints("shape"), r.Type("dtype") ?? DType.Float32, r.OptionalFloat("seed")));

    private static void ReadLike(NodeReader r, Distribution distribution) => r.Emit(new RandomLike(distribution, r.Type("dtype"), r.OptionalFloat("seed")), r.Required(0));
}
