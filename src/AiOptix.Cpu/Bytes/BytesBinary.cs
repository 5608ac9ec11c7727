using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Kernels.Bytes;
using AiOptix.Kernels.Elementwise;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Bytes;

/// <summary>A sum, difference or product of two dequantised values, quantised again, as one operator on bytes. It lives in the backend's copy of a graph only.</summary>
/// <param name="Function">The function with the scales and zero points of its arguments and its result.</param>
internal sealed record BytesBinary(ByteFunction Function) : Operator
{
    public override string Name => $"QLinear{Function.Kind}";

    public override void Infer(InferenceContext context) =>
        context.Set(0, TypeOf(Function.Y), context.Shape(0) is { } a && context.Shape(1) is { } b ? SymbolicShape.Broadcast(a, b) : null);

    public override void Evaluate(EvaluationContext context)
    {
        var y = Run(context, new QuantizeLinear(), Run(context, Inner(), Real(context, 0, Function.A), Real(context, 1, Function.B)), Tensor.Scalar(Function.Y.Scale), Number(Function.Y, Function.Y.Zero));
        context.Set(0, Run(context, new Clip(), y, Number(Function.Y, Function.Low), Number(Function.Y, Function.High)));
    }

    /// <summary>The type of bytes.</summary>
    public static DType TypeOf(ByteNumbers numbers) => numbers.IsSigned ? DType.Int8 : DType.UInt8;

    private Operator Inner() => Function.Kind switch
    {
        BinaryKind.Add => new Add(),
        BinaryKind.Sub => new Sub(),
        _ => new Mul(),
    };

    private static Tensor Real(EvaluationContext context, int input, ByteNumbers numbers) =>
        Run(context, new DequantizeLinear(), context.Input(input), Tensor.Scalar(numbers.Scale), Number(numbers, numbers.Zero));

    private static Tensor Number(ByteNumbers numbers, int value) => numbers.IsSigned ? Tensor.Scalar((sbyte)value) : Tensor.Scalar((byte)value);

    private static Tensor Run(EvaluationContext context, Operator op, params Tensor[] inputs)
    {
        var inner = new EvaluationContext(context.Node, [.. inputs.Cast<RuntimeValue?>()], context.Limits, context.OuterScope, context.Cancellation);
        op.Evaluate(inner);
        return (Tensor)inner.Outputs[0]!;
    }
}

/// <summary>A function of one byte, as a table of its 256 results. It lives in the backend's copy of a graph only.</summary>
/// <param name="Table">The result of every byte.</param>
/// <param name="Type">Its type.</param>
internal sealed record BytesTable(ValueList<byte> Table, DType Type) : Operator
{
    public override string Name => "QLinearTable";

    public override void Infer(InferenceContext context) => context.Set(0, Type, context.Shape(0));

    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var y = context.Allocate(0, Type, x.Shape);
        var from = x.Bytes;
        var to = y.Bytes;
        for (var i = 0; i < from.Length; i++) to[i] = Table[from[i]];
        GC.KeepAlive(x);
    }
}
