using System.Globalization;

namespace AiOptix.Kernels.Jit;

/// <summary>What a product tile of bytes stores.</summary>
internal enum DotStore
{
    /// <summary>The sums.</summary>
    Int32,
    /// <summary>float(sum) · factor.</summary>
    Float32,
    /// <summary>float(sum) · factor, rounded to the nearest even integer, plus the zero point, cut off at the range of unsigned bytes.</summary>
    UInt8,
    /// <summary>The same with signed bytes.</summary>
    Int8,
}

/// <summary>What a product tile of bytes reads and stores.</summary>
/// <param name="Store">What is stored.</param>
/// <param name="IsColumnwise">Each column has its own A, as four bytes a column, and so a convolution with one channel a group; otherwise rows of A are adjacent terms.</param>
/// <param name="IsFlipped">A holds signed bytes: their highest bits are flipped before they are multiplied.</param>
/// <param name="IsLimited">Scaled sums may leave the range of int32.</param>
/// <param name="IsClipped">Bytes are cut off at bounds of their own.</param>
/// <param name="HasAddends">float32 results have one addend a column.</param>
internal readonly record struct DotForm(DotStore Store, bool IsColumnwise = false, bool IsFlipped = false, bool IsLimited = false, bool IsClipped = false, bool HasAddends = false)
{
    /// <summary>True when bytes are stored.</summary>
    public bool StoresBytes => Store is DotStore.UInt8 or DotStore.Int8;
}

/// <summary>How a tile multiplies.</summary>
internal enum DotMethod
{
    /// <summary>Four products at once (VNNI). B holds signed bytes: [step][vector][lane][4 terms].</summary>
    Quads,
    /// <summary>Two products of 16-bit numbers at once. B holds int16: [step][half][vector][lane][2 terms], half h the terms h and h + 2.</summary>
    Pairs,
}

/// <summary>Everything that the code of an int8 product tile depends on: the key by which it is shared.</summary>
/// <param name="VectorBytes">Bytes of a vector: 64 or 32.</param>
/// <param name="Method">How it multiplies.</param>
/// <param name="Rows">Rows of the tile, up to 14.</param>
/// <param name="Vectors">Vectors of 32-bit sums a row: 1 (of 64 bytes only), 2 or 4.</param>
/// <param name="HasTail">Whether only some columns are written (512-bit vectors only).</param>
/// <param name="Form">What is read and stored.</param>
internal readonly record struct DotCode(int VectorBytes, DotMethod Method, int Rows, int Vectors, bool HasTail, DotForm Form) : IKernelCode
{
    /// <inheritdoc/>
    public string Name => string.Create(CultureInfo.InvariantCulture,
        $"tile_u8s8s32_{Rows}x{Columns}{(HasTail ? "tail" : "")}{(Form.IsColumnwise ? "_columnwise" : "")}{(Form.IsFlipped ? "_signed" : "")}_{Form.Store.ToString().ToLowerInvariant()}{(Form.IsLimited ? "_limited" : "")}{(Form.IsClipped ? "_clipped" : "")}{(Form.HasAddends ? "_added" : "")}_{Instructions}_jit");

    /// <summary>Columns of the tile.</summary>
    public int Columns => Vectors * VectorBytes / sizeof(int);

    /// <summary>The first vector register behind the accumulators.</summary>
    public int FirstFree => Rows * Vectors;

    /// <summary>The instruction set.</summary>
    private string Instructions => (VectorBytes, Method) switch
    {
        (64, DotMethod.Quads) => "avx512vnni",
        (64, _) => "avx512",
        (_, DotMethod.Quads) => "avxvnni",
        _ => "avx2",
    };

    /// <summary>
    /// Which column a lane of a panel's vector stands for. Narrowing 32-bit lanes to bytes works on 128 bits at a time; panels of two and four vectors are ordered so that bytes come out in
    /// the order of the columns. Other results are stored as they are.
    /// </summary>
    public static int Column(DotForm form, int vectorBytes, int vectors, int vector, int lane) =>
        form.StoresBytes && vectors > 1 ? lane / 4 * 4 * vectors + 4 * vector + lane % 4 : vector * vectorBytes / sizeof(int) + lane;

    /// <inheritdoc/>
    public KernelGenerator Generator() => new DotGenerator(this);
}
