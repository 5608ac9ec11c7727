using AiOptix.Tensors;

namespace AiOptix.Kernels.Sample;

/// <summary>
/// Weighted sums that all channels share: Y[c, p] (+)= Σ over taps t of W[t, p] · X[c, offset[t, p]]. Offsets and weights are [taps, <see cref="Pitch"/>]; an offset below 0 counts as 0,
/// and so do all behind the last point.
/// </summary>
public unsafe struct SampleWork
{
    /// <summary>Points of a block: from a tap to the next in offsets and weights.</summary>
    public const int Pitch = 64;

    /// <summary>The first plane of the input.</summary>
    public float* X;
    /// <summary>The first point of the first channel of the result.</summary>
    public float* Y;
    /// <summary>Elements from a channel of the input to the next.</summary>
    public long XPlane;
    /// <summary>Elements from a channel of the result to the next.</summary>
    public long YPlane;
    /// <summary>Channels.</summary>
    public long Channels;
    /// <summary>Points, <see cref="Pitch"/> at most.</summary>
    public int Points;
    /// <summary>Taps of every point.</summary>
    public int Taps;
    /// <summary>Positions within a plane.</summary>
    public int* Offsets;
    /// <summary>Factors.</summary>
    public float* Weights;
    /// <summary>The sums are added to what the result holds.</summary>
    public bool Adds;
}

/// <summary>A row of the table of weighted sums.</summary>
public readonly unsafe struct SampleKernel
{
    internal SampleKernel(string name, Isa needs, delegate*<SampleWork*, void> run)
    {
        Name = name;
        Needs = needs;
        Run = run;
    }

    /// <summary>The specification.</summary>
    public readonly string Name;
    /// <summary>Instruction sets it uses.</summary>
    public readonly Isa Needs;
    /// <summary>The code.</summary>
    internal readonly delegate*<SampleWork*, void> Run;
}

/// <summary>The table, best first, the scalar reference last; all rows give the same bits.</summary>
public static unsafe class SampleTable
{
    /// <summary>All rows.</summary>
    public static IReadOnlyList<SampleKernel> Rows { get; } =
    [
        new("sample_f32_avx2", Isa.Avx2, &SampleLoop.Wide),
        new("sample_f32_vector128", Isa.None, &SampleLoop.Four),
        new("sample_f32_scalar", Isa.None, &SampleLoop.One),
    ];

    /// <summary>The first row that the target can run.</summary>
    public static SampleKernel Select(Target target) => Rows.First(row => target.Has(row.Needs));
}
