using AiOptix.Tensors;

namespace AiOptix.Kernels.QuantizedConv;

/// <summary>A row of <see cref="QuantizedConvTable"/>.</summary>
public sealed unsafe class QuantizedConvKernel
{
    internal QuantizedConvKernel(string name, Isa isa, int columns, delegate*<int*, int*, nint, int*, void> tile)
    {
        Name = name;
        Isa = isa;
        Columns = columns;
        Tile = tile;
    }

    /// <summary>The specification.</summary>
    public string Name { get; }

    /// <summary>Instruction sets it needs.</summary>
    public Isa Isa { get; }

    /// <summary>Columns of a tile; 0 for the scalar reference, which has no tiles.</summary>
    internal int Columns { get; }

    /// <summary>The micro-kernel (<see cref="QuantizedTile"/>).</summary>
    internal delegate*<int*, int*, nint, int*, void> Tile { get; }

    /// <summary>Plans a shape.</summary>
    public QuantizedConvPlan Plan(in QuantizedShape shape) => Columns == 0 ? new ScalarQuantizedConv(shape, Name) : new TiledQuantizedConv(shape, this);
}

/// <summary>Every quantised convolution, best first; the last row is the scalar reference.</summary>
public static unsafe class QuantizedConvTable
{
    /// <summary>The rows.</summary>
    public static IReadOnlyList<QuantizedConvKernel> Rows { get; } =
    [
        new("qconv_u8s16s32_4x32_avx512", Isa.Avx512, 32, &QuantizedTile.Run<Pairs16>),
        new("qconv_u8s16s32_4x16_avx2", Isa.Avx2, 16, &QuantizedTile.Run<Pairs8>),
        new("qconv_u8s16s32_4x8_v128", Isa.None, 8, &QuantizedTile.Run<Pairs4>),
        new("qconv_u8s16s32_scalar", Isa.None, 0, null),
    ];

    /// <summary>The first row that the target can run.</summary>
    public static QuantizedConvKernel Select(Target target)
    {
        foreach (var row in Rows)
            if (target.Has(row.Isa)) return row;
        return Rows[^1];
    }
}
