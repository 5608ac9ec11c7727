using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Images;

/// <summary>A row of the table of pixel loops.</summary>
public readonly unsafe struct PixelKernel
{
    internal PixelKernel(string name, Isa needs, delegate*<byte**, float*, int, float*, long, void> blend, delegate*<byte*, float*, long, float*, void> planes, delegate*<byte*, float*, long, float*, int, void> scale)
    {
        Name = name;
        Needs = needs;
        Blend = blend;
        Planes = planes;
        Scale = scale;
    }

    /// <summary>The specification.</summary>
    public readonly string Name;
    /// <summary>Instruction sets it uses.</summary>
    public readonly Isa Needs;
    /// <summary>A weighted sum of rows: rows, weights, taps, sum, length.</summary>
    internal readonly delegate*<byte**, float*, int, float*, long, void> Blend;
    /// <summary>Pixels of three channels to three planes: pixels, planes, number of pixels, a factor and an addend for each channel.</summary>
    internal readonly delegate*<byte*, float*, long, float*, void> Planes;
    /// <summary>Pixels to floats in place: pixels, floats, number of pixels, a factor and an addend for each channel, channels.</summary>
    internal readonly delegate*<byte*, float*, long, float*, int, void> Scale;
}

/// <summary>The table of pixel loops, best first, the scalar reference last; rows differ by the rounding of fused products at most.</summary>
public static unsafe class PixelTable
{
    /// <summary>All rows.</summary>
    public static IReadOnlyList<PixelKernel> Rows { get; } =
    [
        new("pixels_u8_avx512", Isa.Avx512, &PixelLoop.Blend<V16>, &PixelLoop.Planes<V16>, &PixelLoop.Scale<V16>),
        new("pixels_u8_avx2", Isa.Avx2, &PixelLoop.Blend<V8>, &PixelLoop.Planes<V8>, &PixelLoop.Scale<V8>),
        new("pixels_u8_vector128", Isa.None, &PixelLoop.Blend<V4>, &PixelLoop.Planes<V4>, &PixelLoop.Scale<V4>),
        new("pixels_u8_scalar", Isa.None, &PixelLoop.Blend<V1>, &PixelLoop.PlanesScalar, &PixelLoop.Scale<V1>),
    ];

    /// <summary>The first row that the target can run.</summary>
    public static PixelKernel Select(Target target) => Rows.First(row => target.Has(row.Needs));
}
