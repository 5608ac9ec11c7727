namespace AiOptix.Tensors;

/// <summary>Instruction sets that kernels may need, as plain flags. A row of a kernel table names those it uses.</summary>
[Flags]
public enum Isa
{
    /// <summary>Portable code: scalar and <c>Vector128</c>.</summary>
    None = 0,
    /// <summary>AVX2 with FMA3 and F16C.</summary>
    Avx2 = 1,
    /// <summary>AVX-512 F, BW, CD, DQ, VL; implies <see cref="Avx2"/>.</summary>
    Avx512 = 2,
    /// <summary>AVX-VNNI (VEX encoded).</summary>
    AvxVnni = 4,
    /// <summary>AVX-512 VNNI.</summary>
    Avx512Vnni = 8,
    /// <summary>AVX-512 BF16.</summary>
    Avx512Bf16 = 16,
    /// <summary>AMX with int8 and bf16 tiles.</summary>
    Amx = 32,
    /// <summary>Machine code made at run time: x64, on a system that lets a process run what it wrote.</summary>
    Jit = 64,
    /// <summary>AVX-512 VBMI.</summary>
    Avx512Vbmi = 128,
}

/// <summary>What a kernel choice may depend on: instruction sets and cache sizes of a machine, as plain data.</summary>
/// <param name="Isa">Instruction sets.</param>
/// <param name="L1Bytes">First-level data cache of one core, bytes.</param>
/// <param name="L2Bytes">Second-level cache of one core, bytes.</param>
/// <param name="L3Bytes">Last-level cache, bytes.</param>
public sealed record Target(Isa Isa, int L1Bytes = 32 << 10, int L2Bytes = 1 << 20, long L3Bytes = 8 << 20)
{
    // By hand: comparers of enumerations are made by reflection when they are first met.
    /// <inheritdoc/>
    public bool Equals(Target? other) => other is not null && Isa == other.Isa && L1Bytes == other.L1Bytes && L2Bytes == other.L2Bytes && L3Bytes == other.L3Bytes;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine((int)Isa, L1Bytes, L2Bytes, L3Bytes);

    /// <summary>True when every flag of <paramref name="needed"/> is there.</summary>
    public bool Has(Isa needed) => (Isa & needed) == needed;

    /// <summary>The same machine with its instruction sets capped.</summary>
    public Target Cap(IsaCap cap) => cap switch
    {
        IsaCap.None => this with { Isa = Isa.None },
        IsaCap.Avx2 => this with { Isa = Isa & (Isa.Avx2 | Isa.AvxVnni | Isa.Jit) },
        _ => this,
    };
}

/// <summary>The caps that tests and the command line know (<c>--isa none|avx2|avx512</c>).</summary>
public enum IsaCap
{
    /// <summary>Portable code only.</summary>
    None,
    /// <summary>Up to AVX2.</summary>
    Avx2,
    /// <summary>Everything the machine has.</summary>
    Avx512,
}
