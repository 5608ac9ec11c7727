using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>How a convolution or pooling window finds its padding.</summary>
public enum AutoPad
{
    /// <summary>The pads are given.</summary>
    NotSet,
    /// <summary>As many outputs as input / stride, rounded up; an odd pad goes to the end.</summary>
    SameUpper,
    /// <summary>As many outputs as input / stride, rounded up; an odd pad goes to the beginning.</summary>
    SameLower,
    /// <summary>No padding.</summary>
    Valid,
}

/// <summary>
/// The sliding window of a convolution or pooling over its spatial axes: output extents, symbolic or known, and pads. Empty lists mean strides and
/// dilations of 1 and pads of 0.
/// </summary>
/// <param name="Kernel">The window's extents.</param>
/// <param name="Strides">Steps between windows.</param>
/// <param name="Dilations">Distances between the elements of a window.</param>
/// <param name="Pads">All begins, then all ends.</param>
/// <param name="AutoPad">How pads are found when they are not given.</param>
/// <param name="CeilMode">A last window that hangs over the end counts if it starts inside.</param>
public sealed record ConvGeometry(ValueList<long> Kernel, ValueList<long> Strides, ValueList<long> Dilations, ValueList<long> Pads, AutoPad AutoPad = AutoPad.NotSet, bool CeilMode = false)
{
    private const long MostTaps = 1 << 24;

    /// <summary>The furthest that steps, distances and pads go: positions are reckoned in 32 bits.</summary>
    internal const long Furthest = 1 << 28;

    /// <summary>How many spatial axes there are.</summary>
    public int Rank => Kernel.Count;

    /// <summary>The step along a spatial axis.</summary>
    public long Stride(int axis) => Strides.Count == 0 ? 1 : Strides[axis];

    /// <summary>The distance between elements of the window along a spatial axis.</summary>
    public long Dilation(int axis) => Dilations.Count == 0 ? 1 : Dilations[axis];

    /// <summary>How far the window reaches along a spatial axis.</summary>
    public long Reach(int axis) => checked(((Kernel[axis] - 1) * Dilation(axis)) + 1);

    /// <summary>The pads of a spatial axis for an input extent.</summary>
    public (long Begin, long End) PadsOf(int axis, long input)
    {
        if (AutoPad == AutoPad.Valid) return (0, 0);
        if (AutoPad == AutoPad.NotSet) return Pads.Count == 0 ? (0, 0) : (Pads[axis], Pads[axis + Rank]);
        var total = Math.Max(0, ((input + Stride(axis) - 1) / Stride(axis) - 1) * Stride(axis) + Reach(axis) - input);
        return AutoPad == AutoPad.SameUpper ? (total / 2, total - total / 2) : (total - total / 2, total / 2);
    }

    /// <summary>The output extent of a spatial axis.</summary>
    public Dim Output(int axis, Dim input)
    {
        if (AutoPad is AutoPad.SameUpper or AutoPad.SameLower) return Dim.CeilDiv(input, Stride(axis));
        var (begin, end) = PadsOf(axis, 0);
        var room = input + (begin + end - Reach(axis));
        if (!CeilMode) return Dim.FloorDiv(room, Stride(axis)) + 1;
        var windows = Dim.CeilDiv(room, Stride(axis)) + 1;
        return end == 0 && Reach(axis) >= Stride(axis) ? windows : Dim.Min(windows, Dim.CeilDiv(input + begin, Stride(axis)));
    }

    /// <summary>The output extent of a spatial axis.</summary>
    public long Output(int axis, long input) => Output(axis, (Dim)input).Constant!.Value;

    /// <summary>The output extents for known input extents.</summary>
    public long[] Outputs(ReadOnlySpan<long> input)
    {
        var r = new long[Rank];
        for (var i = 0; i < Rank; i++) r[i] = Output(i, input[i]);
        return r;
    }

    /// <summary>What is wrong with the lists, or null.</summary>
    public string? Problem()
    {
        if (Strides.Count > 0 && Strides.Count != Rank) return $"strides {Strides} do not fit {Rank} spatial axes";
        if (Dilations.Count > 0 && Dilations.Count != Rank) return $"dilations {Dilations} do not fit {Rank} spatial axes";
        if (Pads.Count > 0 && Pads.Count != 2 * Rank) return $"pads {Pads} do not fit {Rank} spatial axes; expected {2 * Rank} numbers";
        if (Least(Kernel) < 1 || Least(Strides) < 1 || Least(Dilations) < 1) return $"kernel {Kernel}, strides {Strides} and dilations {Dilations} must be positive";
        long taps = 1;
        foreach (var k in Kernel.Span) taps = k > MostTaps ? MostTaps + 1 : Math.Min(taps * k, MostTaps + 1);
        if (taps > MostTaps) return $"a window of {Kernel} has more than {MostTaps} elements";
        var far = IsFar(Strides) || IsFar(Dilations) || IsFar(Pads);
        for (var i = 0; i < Rank && !far; i++) far = Reach(i) > Furthest;
        if (far)
            return $"kernel {Kernel}, strides {Strides}, dilations {Dilations} and pads {Pads} go beyond {Furthest} elements";
        return null;
    }

    private static long Least(ValueList<long> list)
    {
        var least = long.MaxValue;
        foreach (var n in list.Span) least = Math.Min(least, n);
        return least;
    }

    private static bool IsFar(ValueList<long> list)
    {
        foreach (var n in list.Span)
            if (n is < -Furthest or > Furthest) return true;
        return false;
    }

    /// <summary>The output shape [N, channels, spatial…] for an input [N, C, spatial…].</summary>
    internal SymbolicShape Result(InferenceContext context, SymbolicShape input, Dim channels)
    {
        if (Problem() is { } p) throw context.Error(p);
        if (input.Rank != Rank + 2) throw context.Error($"input 0 has shape {input}; expected {Rank} spatial axes after batch and channels");
        var dims = new Dim[input.Rank];
        (dims[0], dims[1]) = (input[0], channels);
        for (var i = 0; i < Rank; i++)
        {
            dims[i + 2] = Output(i, input[i + 2]);
            if (dims[i + 2].Constant < 0) throw context.Error($"a window of reach {Reach(i)} does not fit axis {i + 2} of shape {input}");
        }
        return new(dims);
    }

    /// <summary>
    /// For one output position, where the window's elements lie in the input's spatial plane, in the window's order; -1 for padding.
    /// </summary>
    internal void Taps(ReadOnlySpan<long> input, ReadOnlySpan<long> output, long position, Span<long> taps)
    {
        taps.Clear();
        var repeat = taps.Length;
        var place = position;
        Span<long> start = stackalloc long[Rank];
        for (var i = Rank - 1; i >= 0; i--)
        {
            start[i] = place % output[i] * Stride(i) - PadsOf(i, input[i]).Begin;
            place /= output[i];
        }
        for (var i = 0; i < Rank; i++)
        {
            repeat /= (int)Kernel[i];
            for (var t = 0; t < taps.Length; t++)
            {
                var at = start[i] + t / repeat % Kernel[i] * Dilation(i);
                taps[t] = taps[t] < 0 || at < 0 || at >= input[i] ? -1 : taps[t] * input[i] + at;
            }
        }
    }
}
