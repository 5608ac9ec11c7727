using System.Numerics;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Trees;

/// <summary>A row of the table of tree walks.</summary>
public readonly unsafe struct TreeKernel
{
    internal TreeKernel(string name, DType type, TreeMissing missing, delegate*<byte*, int*, int, void*, int, int*, void> trees, delegate*<byte*, int, void*, nint, int, int, int*, void> rows)
    {
        Name = name;
        Type = type;
        Missing = missing;
        Trees = trees;
        Rows = rows;
    }

    /// <summary>The specification.</summary>
    public readonly string Name;
    /// <summary>Instruction sets it uses: none beyond the base.</summary>
    public readonly Isa Needs => Isa.None;
    /// <summary>The type of the features.</summary>
    public readonly DType Type;
    /// <summary>Where NaN goes.</summary>
    public readonly TreeMissing Missing;
    /// <summary>The leaves of some trees for one row: places, roots, trees, row, steps to the deepest leaf, leaves.</summary>
    public readonly delegate*<byte*, int*, int, void*, int, int*, void> Trees;
    /// <summary>The leaves of one tree for some rows: places, root, rows, elements from row to row, rows, steps to the deepest leaf, leaves.</summary>
    public readonly delegate*<byte*, int, void*, nint, int, int, int*, void> Rows;
}

/// <summary>
/// The table of tree walks, best first, the scalar references last. All rows of a type find the same leaves. Walks side by side wait less than gathers, which processors with
/// mitigations against reading stale data run slowly.
/// </summary>
public static unsafe class TreeTable
{
    /// <summary>All rows.</summary>
    public static IReadOnlyList<TreeKernel> Rows { get; } =
    [
        .. Of<float>(DType.Float32), .. Of<double>(DType.Float64),
    ];

    /// <summary>The first row that serves the type of the features and the ways of NaN.</summary>
    public static TreeKernel Select(DType type, TreeMissing missing) => Rows.First(r => r.Type == type && r.Missing == missing);

    private static TreeKernel[] Of<T>(DType type) where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        [.. Pair<T, MissingNotAbove>(type, TreeMissing.NotAbove), .. Pair<T, MissingAbove>(type, TreeMissing.Above), .. Pair<T, MissingEach>(type, TreeMissing.Each)];

    private static TreeKernel[] Pair<T, TStep>(DType type, TreeMissing missing) where T : unmanaged, IBinaryFloatingPointIeee754<T> where TStep : struct, ITreeStep
    {
        var stem = $"trees_{(type == DType.Float32 ? "f32" : "f64")}_{missing.ToString().ToLowerInvariant()}_";
        return
        [
            new(stem + "8walks", type, missing, &TreeWalks<T, TStep>.Trees, &TreeWalks<T, TStep>.Rows),
            new(stem + "scalar", type, missing, &TreeWalks<T, TStep>.TreesOne, &TreeWalks<T, TStep>.RowsOne),
        ];
    }
}
