using AiOptix.Tensors;

namespace AiOptix.Kernels.Copy;

/// <summary>A row of the copy table.</summary>
public readonly unsafe struct CopyKernel
{
    internal CopyKernel(string name, Isa needs, CopyForm form, int elementSize, delegate*<byte*, byte*, CopyTile*, void> run)
    {
        Name = name;
        Needs = needs;
        Form = form;
        ElementSize = elementSize;
        Run = run;
    }

    /// <summary>The specification.</summary>
    public readonly string Name;
    /// <summary>Instruction sets it uses.</summary>
    public readonly Isa Needs;
    /// <summary>The form it serves; <see cref="CopyForm.Strided"/> serves all.</summary>
    public readonly CopyForm Form;
    /// <summary>Bytes of the element it moves; 0 for any.</summary>
    public readonly int ElementSize;
    /// <summary>The code: source, target, rectangle.</summary>
    public readonly delegate*<byte*, byte*, CopyTile*, void> Run;
}

/// <summary>The table of copy kernels, best first; the last rows are the scalar references.</summary>
public static unsafe class CopyTable
{
    /// <summary>All rows.</summary>
    public static IReadOnlyList<CopyKernel> Rows { get; } =
    [
        new("copy_runs", Isa.None, CopyForm.Runs, 0, &CopyLoops.Runs),
        new("copy_fill_u8", Isa.None, CopyForm.Fill, 1, &CopyLoops.Fill<byte>),
        new("copy_fill_u16", Isa.None, CopyForm.Fill, 2, &CopyLoops.Fill<ushort>),
        new("copy_fill_u32", Isa.None, CopyForm.Fill, 4, &CopyLoops.Fill<uint>),
        new("copy_fill_u64", Isa.None, CopyForm.Fill, 8, &CopyLoops.Fill<ulong>),
        new("copy_fill_u128", Isa.None, CopyForm.Fill, 16, &CopyLoops.Fill<SixteenBytes>),
        new("copy_transpose_u32_8x8_avx2", Isa.Avx2, CopyForm.Transpose, 4, &CopyTransposeAvx2.Words),
        new("copy_transpose_u64_4x4_avx2", Isa.Avx2, CopyForm.Transpose, 8, &CopyTransposeAvx2.DoubleWords),
        new("copy_transpose_u8_8x8_vector128", Isa.None, CopyForm.Transpose, 1, &CopyTranspose.Bytes),
        new("copy_transpose_u16_8x8_vector128", Isa.None, CopyForm.Transpose, 2, &CopyTranspose.HalfWords),
        new("copy_transpose_u32_4x4_vector128", Isa.None, CopyForm.Transpose, 4, &CopyTranspose.Words),
        new("copy_transpose_u64_blocked", Isa.None, CopyForm.Transpose, 8, &CopyLoops.Blocked<ulong>),
        new("copy_transpose_u128_blocked", Isa.None, CopyForm.Transpose, 16, &CopyLoops.Blocked<SixteenBytes>),
        new("copy_strided_u8", Isa.None, CopyForm.Strided, 1, &CopyLoops.Strided<byte>),
        new("copy_strided_u16", Isa.None, CopyForm.Strided, 2, &CopyLoops.Strided<ushort>),
        new("copy_strided_u32", Isa.None, CopyForm.Strided, 4, &CopyLoops.Strided<uint>),
        new("copy_strided_u64", Isa.None, CopyForm.Strided, 8, &CopyLoops.Strided<ulong>),
        new("copy_strided_u128", Isa.None, CopyForm.Strided, 16, &CopyLoops.Strided<SixteenBytes>),
    ];

    /// <summary>The first row that serves the form and element size on the target.</summary>
    public static CopyKernel Select(CopyForm form, int elementSize, Target target)
    {
        for (var i = 0; i < Rows.Count; i++)
        {
            var row = Rows[i];
            if (target.Has(row.Needs) && (row.Form == form || row.Form == CopyForm.Strided) && (row.ElementSize == 0 || row.ElementSize == elementSize)) return row;
        }
        throw new UnsupportedModelException($"no copy kernel for elements of {elementSize} bytes; 1, 2, 4, 8 and 16 are served");
    }
}
