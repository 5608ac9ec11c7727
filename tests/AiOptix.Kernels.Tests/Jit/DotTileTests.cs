using AiOptix.Kernels.Jit;
using AiOptix.Kernels.QuantizedConv;
using AiOptix.Tensors;
using Iced.Intel;

namespace AiOptix.Kernels.Tests.Jit;

/// <summary>The code of every int8 product tile: those of instruction sets that this machine lacks too.</summary>
public class DotTileTests
{
    private static IEnumerable<DotCode> All()
    {
        foreach (var tiles in DotTiles.Rows.Where(t => t.IsGenerated))
            foreach (var store in Enum.GetValues<DotStore>())
                foreach (var form in new DotForm[] { new(store), new(store, IsColumnwise: true, IsFlipped: true), new(store, IsLimited: true, IsClipped: true) })
                    for (var vectors = 1; vectors <= 4; vectors++)
                    {
                        if (vectors == 3 && form.StoresBytes || vectors % 2 == 1 && tiles.VectorBytes == 32) continue;
                        for (var rows = 1; rows <= tiles.Height(vectors); rows++)
                            yield return new(tiles.VectorBytes, tiles.Method, rows, vectors, HasTail: tiles.VectorBytes == 64 && rows % 2 == 0, form);
                    }
    }

    [Fact]
    public void Code_for_both_calling_conventions_is_whole_and_keeps_what_it_must()
    {
        foreach (var code in All())
            foreach (var isWindows in new[] { false, true })
            {
                var all = new KernelListing(code.Name, code.Generator().Generate(isWindows).ToArray()).Decode();
                Assert.DoesNotContain(all, i => i.IsInvalid);
                Assert.Equal(Mnemonic.Ret, all[^1].Mnemonic);
                Assert.Equal(all.Where(i => i.Mnemonic == Mnemonic.Push).Select(i => i.Op0Register), all.Where(i => i.Mnemonic == Mnemonic.Pop).Select(i => i.Op0Register).Reverse());
                var starts = all.Select(i => i.IP).ToHashSet();
                Assert.All(all.Where(i => i.FlowControl is FlowControl.ConditionalBranch or FlowControl.UnconditionalBranch), i => Assert.Contains(i.NearBranchTarget, starts));
            }
    }

    [Fact]
    public void Tiles_use_only_the_instruction_sets_of_their_row()
    {
        foreach (var code in All())
        {
            var tiles = DotTiles.Rows.Single(t => t.IsGenerated && t.VectorBytes == code.VectorBytes && t.Method == code.Method);
            foreach (var i in new KernelListing(code.Name, code.Generator().Generate(false).ToArray()).Decode())
                foreach (var feature in i.CpuidFeatures) Assert.True((tiles.Isa | Isa.Avx2).HasFlag(Needs(feature)), $"{code.Name}: {i} needs {feature}");
        }
    }

    private static Isa Needs(CpuidFeature feature) => feature switch
    {
        CpuidFeature.INTEL8086 or CpuidFeature.INTEL386 or CpuidFeature.X64 or CpuidFeature.SSE => Isa.None,
        CpuidFeature.AVX or CpuidFeature.AVX2 => Isa.Avx2,
        CpuidFeature.AVX512F or CpuidFeature.AVX512BW => Isa.Avx512,
        CpuidFeature.AVX512_VNNI => Isa.Avx512Vnni,
        CpuidFeature.AVX_VNNI => Isa.AvxVnni,
        _ => throw new NotSupportedException($"{feature} belongs to no instruction set of the kernel tables"),
    };
}
