using System.Globalization;
using AiOptix.Kernels.Conv;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Choice;

/// <summary>
/// A float32 convolution with its channels last: <c>conv:1x64x56x56,64x64x3x3,pad=1,stride=1,group=1</c>. Extents and filters stand as ONNX has them; one to three axes. <c>pad</c>, <c>stride</c> and
/// <c>dilation</c> take a number, or one an axis between crosses, and a pad <c>begin:end</c>; <c>first</c> says that the input has its channels first.
/// </summary>
/// <param name="Shape">The shape, dense.</param>
public sealed record ConvProblem(ConvShape Shape) : KernelProblem
{
    /// <inheritdoc/>
    public override string Key => $"conv:{Text(Shape)}";

    /// <inheritdoc/>
    public override double Operations => OperationsOf(Shape);

    private protected override double Elements => ElementsOf(Shape);

    /// <inheritdoc/>
    public override IReadOnlyList<string> Candidates(Target target) => [.. Rows(target).Select(r => r.Name)];

    /// <summary>
    /// Tiles that the compiler makes are for machines that forbid generated code. They take as long as generated ones at best, which the cost model does not know for every shape, and a process that uses
    /// them compiles one for each height first: tens of milliseconds.
    /// </summary>
    public override IReadOnlyList<string> Contenders(Target target) =>
        ConvTable.Rows.Any(r => r.Tiles?.Generated is not null && target.Has(r.Isa)) ? [.. Rows(target).Where(r => r.Tiles is not { Generated: null }).Select(r => r.Name)] : Candidates(target);

    private IEnumerable<ConvKernel> Rows(Target target) => ConvTable.Rows.SkipLast(1).Where(r => target.Has(r.Isa) && r.Suits(Shape));

    /// <inheritdoc/>
    public override KernelWork Work(string candidate, Target target) => ConvTable.Named(candidate).Work(Shape, target);

    /// <inheritdoc/>
    public override unsafe KernelTrial Try(string candidate, Target target)
    {
        var plan = ConvTable.Named(candidate).Plan(Shape, target);
        var bytes = plan.PackedWeightBytes;
        var trial = KernelTrial.Of(bytes, target);
        float* x = trial.Floats((long)Shape.Batch * Shape.InputPixels * Shape.Channels), w = trial.Floats((long)Shape.OutputChannels * Shape.Terms), bias = trial.Floats(Shape.OutputChannels);
        byte* packed = trial.Bytes(trial.Copies * bytes), y = trial.Bytes(sizeof(float) * (long)Shape.Batch * Shape.OutputPixels * Shape.OutputChannels), scratch = trial.Bytes(plan.ScratchBytes);
        plan.PackWeights(w, (float*)packed);
        for (var i = 1; i < trial.Copies; i++) Buffer.MemoryCopy(packed, packed + i * bytes, bytes, bytes);
        return trial.Do(turn =>
            plan.Run(new ConvCall { X = x, PackedWeights = (float*)(packed + turn * bytes), Bias = bias, Y = (float*)y, Activation = Activation.Relu }, 0, plan.Tasks, scratch));
    }

    /// <summary>Operations of a shape.</summary>
    internal static double OperationsOf(in ConvShape s) => 2.0 * s.Batch * Over(s, static a => a.Output) * s.OutputChannels * s.GroupChannels * Over(s, static a => a.Kernel);

    /// <summary>Elements of the largest operand of a shape.</summary>
    internal static double ElementsOf(in ConvShape s) => Math.Max((double)s.Batch * Math.Max(Over(s, static a => a.Input) * s.Channels, Over(s, static a => a.Output) * s.OutputChannels), (double)s.OutputChannels * s.GroupChannels * Over(s, static a => a.Kernel));

    private static double Over(in ConvShape s, Func<ConvAxis, double> of) => of(s.Depth) * of(s.Height) * of(s.Width);

    /// <summary>The text of a shape.</summary>
    internal static string Text(in ConvShape shape)
    {
        ConvAxis[] all = [shape.Depth, shape.Height, shape.Width];
        var axes = all[(all[0] != ConvAxis.None ? 0 : all[1] != ConvAxis.None ? 1 : 2)..];
        string Each(Converter<ConvAxis, string> number) => string.Join('x', Array.ConvertAll(axes, number));
        return $"{Number(shape.Batch)}x{Number(shape.Channels)}x{Each(a => Number(a.Input))},{Number(shape.OutputChannels)}x{Number(shape.GroupChannels)}x{Each(a => Number(a.Kernel))}"
            + $",pad={Same(Array.ConvertAll(axes, a => a.PadBegin == a.PadEnd ? Number(a.PadBegin) : $"{Number(a.PadBegin)}:{Number(a.PadEnd)}"))},stride={Same(Array.ConvertAll(axes, a => Number(a.Stride)))}"
            + (Array.TrueForAll(axes, a => a.Dilation == 1) ? "" : $",dilation={Same(Array.ConvertAll(axes, a => Number(a.Dilation)))}") + $",group={Number(shape.Groups)}{(shape.ReadsChannelsFirst ? ",first" : "")}";
    }

    /// <summary>Reads the text of a shape.</summary>
    internal static ConvShape ReadShape(ProblemText words)
    {
        var (input, filter) = (words.Numbers(words.Next() ?? "", 1, "the input"), words.Numbers(words.Next() ?? "", 1, "the filter"));
        var rank = input.Length - 2;
        if (rank is < 1 or > 3 || filter.Length != input.Length) throw words.Wrong("expected an input NxCxHxW and a filter OxIxHxW with one to three axes behind the channels");
        var axes = new[] { ConvAxis.None, ConvAxis.None, ConvAxis.None };
        var (pads, strides, dilations) = (Each(words, "pad", "0", rank), Each(words, "stride", "1", rank), Each(words, "dilation", "1", rank));
        for (var i = 0; i < rank; i++)
        {
            var pad = pads[i].Split(':');
            if (pad.Length > 2) throw words.Wrong($"pad is '{pads[i]}', expected a number or begin:end");
            axes[3 - rank + i] = new(input[i + 2], filter[i + 2], words.Number(strides[i], 1, "stride"), words.Number(dilations[i], 1, "dilation"), words.Number(pad[0], 0, "pad"), words.Number(pad[^1], 0, "pad"));
        }
        var groups = words.Number("group", 1, 1);
        var shape = new ConvShape(input[0], input[1], filter[0], groups, axes[0], axes[1], axes[2]) { ReadsChannelsFirst = words.Flag("first") };
        if (shape.Channels % groups != 0 || shape.OutputChannels % groups != 0 || shape.GroupChannels != filter[1]) throw words.Wrong($"{shape.Channels} channels in {groups} groups do not fit filters of {filter[1]}");
        foreach (var axis in axes)
            if ((axis.Kernel - 1.0) * axis.Dilation >= axis.Input + axis.PadBegin + axis.PadEnd) throw words.Wrong("its window is larger than its input");
        return shape;
    }

    private static string[] Each(ProblemText words, string name, string standard, int rank)
    {
        var all = words.Word(name, standard).Split('x');
        return all.Length == rank ? all : all.Length == 1 ? [.. Enumerable.Repeat(all[0], rank)] : throw words.Wrong($"{name} has {all.Length} numbers for {rank} axes");
    }

    private static string Same(string[] words) => Array.TrueForAll(words, w => w == words[0]) ? words[0] : string.Join('x', words);

    private static string Number(int n) => n.ToString(CultureInfo.InvariantCulture);
}
