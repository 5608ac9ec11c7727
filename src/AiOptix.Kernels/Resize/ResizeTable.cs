using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Resize;

/// <summary>A row of the resize table.</summary>
public readonly unsafe struct ResizeKernel
{
    internal ResizeKernel(string name, Isa needs, delegate*<ResizeWork*, long, long, void> rows)
    {
        Name = name;
        Needs = needs;
        Rows = rows;
    }

    /// <summary>The specification.</summary>
    public readonly string Name;
    /// <summary>Instruction sets it uses.</summary>
    public readonly Isa Needs;
    /// <summary>The code.</summary>
    internal readonly delegate*<ResizeWork*, long, long, void> Rows;
}

/// <summary>The table of resize kernels, best first, the scalar reference last; all rows give the same bits.</summary>
public static unsafe class ResizeTable
{
    /// <summary>All rows.</summary>
    public static IReadOnlyList<ResizeKernel> Rows { get; } =
    [
        new("resize_f32_avx512", Isa.Avx512, &ResizeLoop.Rows<D8>),
        new("resize_f32_avx2", Isa.Avx2, &ResizeLoop.Rows<D4>),
        new("resize_f32_vector128", Isa.None, &ResizeLoop.Rows<D2>),
        new("resize_f32_scalar", Isa.None, &ResizeLoop.Rows<D1>),
    ];

    /// <summary>The first row that the target can run.</summary>
    public static ResizeKernel Select(Target target) => Rows.First(row => target.Has(row.Needs));
}
