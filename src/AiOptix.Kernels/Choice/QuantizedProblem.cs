using System.Globalization;
using AiOptix.Kernels.Conv;
using AiOptix.Kernels.QuantizedConv;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Choice;

/// <summary>
/// A convolution of bytes, <c>conv_int8:</c> with the words of <see cref="ConvProblem"/>, or a product, <c>gemm_int8:M=128,N=768,K=3072</c>; behind them <c>result=</c>u8 (the standard), s8, s32 or f32,
/// <c>parts=</c>2 or 3, and any of <c>signed</c>, <c>limited</c>, <c>clipped</c>, <c>dynamic</c>, <c>addends</c> (<see cref="QuantizedShape"/>).
/// </summary>
/// <param name="Shape">The shape, dense.</param>
public sealed record QuantizedProblem(QuantizedShape Shape) : KernelProblem
{
    private static readonly string[] results = ["s32", "f32", "u8", "s8"];

    /// <inheritdoc/>
    public override string Key
    {
        get
        {
            var conv = Shape.Conv;
            var isProduct = conv is { Batch: 1, Groups: 1, ReadsChannelsFirst: false, Width: { IsIdentity: true } } && conv.Depth == ConvAxis.None && conv.Height == ConvAxis.None;
            var text = isProduct ? string.Create(CultureInfo.InvariantCulture, $"gemm_int8:M={conv.Width.Input},N={conv.OutputChannels},K={conv.Channels}") : $"conv_int8:{ConvProblem.Text(conv)}";
            if (Shape.IsSigned) text += ",signed";
            if (Shape.IsLimited) text += ",limited";
            if (Shape.IsClipped) text += ",clipped";
            if (Shape.IsDynamic) text += ",dynamic";
            if (Shape.HasAddends) text += ",addends";
            if (Shape.Result != QuantizedResult.UInt8) text += $",result={results[(int)Shape.Result]}";
            return Shape.WeightParts == 1 ? text : string.Create(CultureInfo.InvariantCulture, $"{text},parts={Shape.WeightParts}");
        }
    }

    /// <inheritdoc/>
    public override double Operations => ConvProblem.OperationsOf(Shape.Conv);

    private protected override double Elements => ConvProblem.ElementsOf(Shape.Conv);

    /// <inheritdoc/>
    public override bool IsInteger => true;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Candidates(Target target) => [.. QuantizedConvTable.Rows.SkipLast(1).Where(r => target.Has(r.Isa) && r.Suits(Shape)).Select(r => r.Name)];

    /// <inheritdoc/>
    public override KernelWork Work(string candidate, Target target) => QuantizedConvTable.Named(candidate).Work(Shape, target);

    /// <inheritdoc/>
    public override unsafe KernelTrial Try(string candidate, Target target)
    {
        var plan = QuantizedConvTable.Named(candidate).Plan(Shape, target);
        var (conv, bytes) = (Shape.Conv, plan.PackedWeightBytes);
        var trial = KernelTrial.Of(bytes, target);
        byte* x = trial.Bytes((long)conv.Batch * conv.InputPixels * conv.Channels), packed = trial.Bytes(trial.Copies * bytes);
        byte* y = trial.Bytes((long)Shape.ResultBytes * conv.Batch * conv.OutputPixels * conv.OutputChannels), scratch = trial.Bytes(plan.ScratchBytes);
        var weights = (short*)trial.Bytes(sizeof(short) * (long)conv.OutputChannels * conv.Terms);
        for (long i = 0; i < (long)conv.OutputChannels * conv.Terms; i++) weights[i] = (short)(i * 37 % 255 - 127);
        for (long i = 0; i < (long)conv.Batch * conv.InputPixels * conv.Channels; i++) x[i] = (byte)(i * 59);
        var factors = trial.Floats(conv.OutputChannels);
        for (var i = 0; i < conv.OutputChannels; i++) factors[i] = 1f / 4096;
        var all = new QuantizedWeights { Weights = weights, Factors = Shape.Result == QuantizedResult.Int32 ? null : factors, Addends = Shape.HasAddends ? factors : null };
        plan.PackWeights(all, packed);
        for (var i = 1; i < trial.Copies; i++) Buffer.MemoryCopy(packed, packed + i * bytes, bytes, bytes);
        var isSigned = Shape.Result == QuantizedResult.Int8;
        return trial.Do(turn => plan.Run(new QuantizedConvCall { X = x, InputScale = 1, PackedWeights = packed + turn * bytes, Y = y, Low = isSigned ? -128 : 0, High = isSigned ? 127 : 255 }, 0, plan.Tasks, scratch));
    }

    /// <summary>Reads the text behind the operation.</summary>
    internal static QuantizedProblem Read(ProblemText words)
    {
        ConvShape conv;
        if (words.Operation == "gemm_int8") conv = new(1, words.Number("K", 1), words.Number("N", 1), 1, ConvAxis.None, ConvAxis.None, new(words.Number("M", 1)));
        else conv = ConvProblem.ReadShape(words);
        var result = words.Word("result", "u8");
        var at = Array.IndexOf(results, result);
        if (at < 0) throw words.Wrong($"result is '{result}', expected one of {string.Join(", ", results)}");
        var shape = new QuantizedShape(conv, (QuantizedResult)at)
        {
            IsSigned = words.Flag("signed"), IsLimited = words.Flag("limited"), IsClipped = words.Flag("clipped"), IsDynamic = words.Flag("dynamic"), HasAddends = words.Flag("addends"),
            WeightParts = words.Number("parts", 1, 1),
        };
        if (shape.WeightParts > 3) throw words.Wrong("parts is at most 3");
        if (shape.HasAddends && shape.Result != QuantizedResult.Float32) throw words.Wrong("addends need result=f32");
        return new(shape);
    }
}
