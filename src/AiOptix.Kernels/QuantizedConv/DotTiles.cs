using AiOptix.Kernels.Jit;
using AiOptix.Tensors;

namespace AiOptix.Kernels.QuantizedConv;

/// <summary>The product tiles of one vector width and one way to multiply.</summary>
internal sealed unsafe class DotTiles
{
    private const int Wide = 64;

    private readonly delegate*<DotArguments*, void> code;

    private DotTiles(Isa isa, int vectorBytes, DotMethod method, delegate*<DotArguments*, void> code = null)
    {
        (Isa, VectorBytes, Method) = (isa, vectorBytes, method);
        this.code = code;
    }

    /// <summary>All of them, best first.</summary>
    public static IReadOnlyList<DotTiles> Rows { get; } =
    [
        new(Isa.Avx512 | Isa.Avx512Vnni | Isa.Jit, Wide, DotMethod.Quads),
        new(Isa.Avx2 | Isa.AvxVnni | Isa.Jit, 32, DotMethod.Quads),
        new(Isa.Avx512 | Isa.Jit, Wide, DotMethod.Pairs),
        new(Isa.Avx2 | Isa.Jit, 32, DotMethod.Pairs),
        new(Isa.Avx512, Wide, DotMethod.Pairs, &PairTiles.Run<Pairs16>),
        new(Isa.Avx2, 32, DotMethod.Pairs, &PairTiles.Run<Pairs8>),
        new(Isa.None, 16, DotMethod.Pairs, &PairTiles.Run<Pairs4>),
    ];

    /// <summary>Instruction sets they need.</summary>
    public Isa Isa { get; }

    /// <summary>Bytes of a vector.</summary>
    public int VectorBytes { get; }

    /// <summary>How they multiply.</summary>
    public DotMethod Method { get; }

    /// <summary>True when the code is made at run time.</summary>
    public bool IsGenerated => code == null;

    /// <summary>32-bit lanes of a vector.</summary>
    public int Lanes => VectorBytes / sizeof(int);

    /// <summary>Columns of the widest panel.</summary>
    public int Width => Lanes * (IsGenerated ? 4 : 2);

    /// <summary>Bytes of a weight.</summary>
    public int WeightBytes => Method == DotMethod.Quads ? 1 : sizeof(short);

    /// <summary>The code of a tile that is not generated.</summary>
    public nint Code => (nint)code;

    /// <summary>Rows of the highest tile over panels of so many vectors.</summary>
    public int Height(int vectors) => (IsGenerated, VectorBytes, vectors) switch
    {
        (false, _, _) => PairTiles.Height,
        (_, Wide, 4) => 6,
        (_, Wide, 3) => 8,
        (_, Wide, _) => 14,
        (_, _, 4) => 2,
        _ => 4,
    };

    /// <summary>How output channels are cut into panels, as wide as can be; what is left takes the fewest vectors.</summary>
    public IReadOnlyList<DotPanel> Panels(int outputs, DotForm form)
    {
        var all = new List<DotPanel>();
        for (var first = 0; first < outputs;)
        {
            var panel = Next(outputs - first, form);
            all.Add(panel with { First = first });
            first += panel.Columns;
        }
        return all;
    }

    private DotPanel Next(int left, DotForm form)
    {
        var vectors = (Math.Min(left, Width) + Lanes - 1) / Lanes;
        if (!IsGenerated) vectors = 2;
        else if (VectorBytes != Wide) vectors = vectors <= 2 ? 2 : 4;
        else if (vectors == 3 && form.StoresBytes) vectors = 2;
        return new(0, Math.Min(left, vectors * Lanes), vectors);
    }
}

/// <summary>Adjacent output channels that one tile computes.</summary>
/// <param name="First">The first of them.</param>
/// <param name="Columns">How many.</param>
/// <param name="Vectors">Vectors of 32-bit sums.</param>
internal readonly record struct DotPanel(int First, int Columns, int Vectors);
