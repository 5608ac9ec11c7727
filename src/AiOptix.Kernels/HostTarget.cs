using System.Globalization;
using System.Runtime.Intrinsics.X86;
using AiOptix.Kernels.Jit;
using AiOptix.Tensors;

namespace AiOptix.Kernels;

/// <summary>Describes the machine that the process stands on as a <see cref="Target"/>.</summary>
public static class HostTarget
{
    private const int Leaf7 = 7;

    /// <summary>The machine, detected once.</summary>
    public static Target Current { get; } = Detect();

    /// <summary>
    /// Reads instruction sets and cache sizes. An instruction set counts only if the .NET runtime allows the registers it needs, so that the
    /// runtime's own switches (<c>DOTNET_EnableAVX2=0</c>, <c>DOTNET_EnableAVX512=0</c>) cap what kernels may use.
    /// </summary>
    public static Target Detect()
    {
        var isa = Isa.None;
        if (Avx2.IsSupported && Fma.IsSupported) isa |= Isa.Avx2;
        if (isa != Isa.None && Avx512F.IsSupported && Avx512F.VL.IsSupported && Avx512BW.IsSupported && Avx512CD.IsSupported && Avx512DQ.IsSupported)
            isa |= Isa.Avx512;
        if (X86Base.IsSupported && isa != Isa.None) isa |= FromCpuId(isa);
        if (isa != Isa.None && GeneratedCode.Obstacle is null) isa |= Isa.Jit;
        var (l1, l2, l3) = Caches();
        var unknown = new Target(isa);
        return new Target(isa, l1 > 0 ? (int)l1 : unknown.L1Bytes, l2 > 0 ? (int)l2 : unknown.L2Bytes, l3 > 0 ? l3 : unknown.L3Bytes);
    }

    private static Isa FromCpuId(Isa allowed)
    {
        var isa = Isa.None;
        if (X86Base.CpuId(0, 0).Eax < Leaf7) return isa;
        var (subleaves, _, ecx, edx) = X86Base.CpuId(Leaf7, 0);
        var eax1 = subleaves >= 1 ? X86Base.CpuId(Leaf7, 1).Eax : 0;
        if (Bit(eax1, 4)) isa |= Isa.AvxVnni;
        if (!allowed.HasFlag(Isa.Avx512)) return isa;
        if (Bit(ecx, 1) && Avx512Vbmi.IsSupported) isa |= Isa.Avx512Vbmi;
        if (Bit(ecx, 11)) isa |= Isa.Avx512Vnni;
        if (Bit(eax1, 5)) isa |= Isa.Avx512Bf16;
        if (Bit(edx, 22) && Bit(edx, 24) && Bit(edx, 25)) isa |= Isa.Amx;
        return isa;
    }

    // Deterministic cache parameters: leaf 4 (Intel), leaf 0x8000001D (AMD, where topology extensions are announced); Linux otherwise.
    private static (long L1, long L2, long L3) Caches()
    {
        if (!X86Base.IsSupported) return FromSys();
        var max = (uint)X86Base.CpuId(0, 0).Eax;
        if (max >= 4 && (X86Base.CpuId(4, 0).Eax & 31) != 0) return FromLeaf(4);
        const uint extended = 0x80000000;
        if ((uint)X86Base.CpuId(unchecked((int)extended), 0).Eax >= extended + 0x1d && Bit(X86Base.CpuId(unchecked((int)(extended + 1)), 0).Ecx, 22))
            return FromLeaf(unchecked((int)(extended + 0x1d)));
        return FromSys();
    }

    private static (long L1, long L2, long L3) FromLeaf(int leaf)
    {
        Span<long> size = stackalloc long[4];
        for (var i = 0; i < 16; i++)
        {
            var (eax, ebx, ecx, _) = X86Base.CpuId(leaf, i);
            var type = eax & 31;
            if (type == 0) break;
            var level = (eax >> 5) & 7;
            const int instructions = 2;
            if (type == instructions || level > 3) continue;
            size[level] = (1L + (ebx & 0xfff)) * (1 + ((ebx >> 12) & 0x3ff)) * (1 + ((ebx >> 22) & 0x3ff)) * (1L + (uint)ecx);
        }
        return (size[1], size[2], size[3]);
    }

    private static (long L1, long L2, long L3) FromSys()
    {
        Span<long> size = stackalloc long[4];
        for (var i = 0; i < 8; i++)
        {
            var directory = $"/sys/devices/system/cpu/cpu0/cache/index{i.ToString(CultureInfo.InvariantCulture)}";
            if (!File.Exists($"{directory}/size") || !File.Exists($"{directory}/level") || !File.Exists($"{directory}/type")) continue;
            if (File.ReadAllText($"{directory}/type").StartsWith("Instruction", StringComparison.Ordinal)) continue;
            var text = File.ReadAllText($"{directory}/size").Trim();
            var unit = text.EndsWith('K') ? 1L << 10 : text.EndsWith('M') ? 1L << 20 : 1;
            if (int.TryParse(File.ReadAllText($"{directory}/level").Trim(), CultureInfo.InvariantCulture, out var level) && level is >= 1 and <= 3
                && long.TryParse(text.TrimEnd('K', 'M'), CultureInfo.InvariantCulture, out var value)) size[level] = value * unit;
        }
        return (size[1], size[2], size[3]);
    }

    private static bool Bit(int word, int bit) => (word >> bit & 1) != 0;
}
