using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Reduce;

/// <summary>A row of the table of reductions.</summary>
public readonly unsafe struct ReduceKernel
{
    internal ReduceKernel(string name, Isa needs, ReduceKind kind, delegate*<float*, float*, long, ReduceLine*, void> rows,
        delegate*<float*, float*, long, ReduceLine*, void> columns)
    {
        Name = name;
        Needs = needs;
        Kind = kind;
        Rows = rows;
        Columns = columns;
    }

    /// <summary>The specification.</summary>
    public readonly string Name;
    /// <summary>Instruction sets it uses.</summary>
    public readonly Isa Needs;
    /// <summary>The reduction before its last step: <see cref="ReduceKind.Sum"/> serves Mean and LogSum, <see cref="ReduceKind.SumSquare"/> serves L2.</summary>
    public readonly ReduceKind Kind;
    /// <summary>The code where the innermost axis is reduced: argument, results, how many, line.</summary>
    public readonly delegate*<float*, float*, long, ReduceLine*, void> Rows;
    /// <summary>The code where the innermost axis is kept.</summary>
    public readonly delegate*<float*, float*, long, ReduceLine*, void> Columns;
}

/// <summary>The table of reductions, best first, the scalar reference last; all rows of a kind give the same bits.</summary>
public static unsafe class ReduceTable
{
    /// <summary>All rows.</summary>
    public static IReadOnlyList<ReduceKernel> Rows { get; } =
    [
        .. Kind<SumF32>(ReduceKind.Sum), .. Kind<SumSquareF32>(ReduceKind.SumSquare), .. Kind<SumAbsF32>(ReduceKind.L1), .. Kind<MaxReduceF32>(ReduceKind.Max),
        .. Kind<MinReduceF32>(ReduceKind.Min), .. Kind<ProdF32>(ReduceKind.Prod),
    ];

    /// <summary>The first row that the target can run.</summary>
    public static ReduceKernel Select(ReduceKind kind, Target target)
    {
        var walk = kind switch
        {
            ReduceKind.Mean or ReduceKind.LogSum => ReduceKind.Sum,
            ReduceKind.L2 => ReduceKind.SumSquare,
            _ => kind,
        };
        for (var i = 0; i < Rows.Count; i++)
            if (Rows[i].Kind == walk && target.Has(Rows[i].Needs)) return Rows[i];
        throw new UnsupportedModelException($"no kernel for the reduction {kind}");
    }

    private static ReduceKernel[] Kind<TF>(ReduceKind kind) where TF : struct, IReduceF32
    {
        var stem = $"reduce_{kind.ToString().ToLowerInvariant()}_f32_";
        return
        [
            new(stem + "avx512", Isa.Avx512, kind, &ReduceLoop.Rows<TF, V16>, &ReduceLoop.Columns<TF, V16>),
            new(stem + "avx2", Isa.Avx2, kind, &ReduceLoop.Rows<TF, Pair<V8>>, &ReduceLoop.Columns<TF, Pair<V8>>),
            new(stem + "vector128", Isa.None, kind, &ReduceLoop.Rows<TF, Pair<Pair<V4>>>, &ReduceLoop.Columns<TF, Pair<Pair<V4>>>),
            new(stem + "scalar", Isa.None, kind, &ReduceLoop.Rows<TF, Pair<Pair<Pair<Pair<V1>>>>>, &ReduceLoop.Columns<TF, Pair<Pair<Pair<Pair<V1>>>>>),
        ];
    }
}
