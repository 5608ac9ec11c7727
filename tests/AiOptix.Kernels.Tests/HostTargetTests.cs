using AiOptix.Tensors;

namespace AiOptix.Kernels.Tests;

public class HostTargetTests
{
    [Fact]
    public void Detection_is_stable_and_agrees_with_the_runtime()
    {
        var target = HostTarget.Detect();
        Assert.Equal(HostTarget.Current, target);
        Assert.Equal(System.Runtime.Intrinsics.X86.Avx512F.IsSupported, target.Has(Isa.Avx512));
        Assert.False(target.Has(Isa.Avx512Vnni) && !target.Has(Isa.Avx512));
        Assert.InRange(target.L1Bytes, 8 << 10, 1 << 20);
        Assert.True(target.L2Bytes >= target.L1Bytes);
    }

    [Fact]
    public void Caps_take_flags_away()
    {
        var all = new Target((Isa)127);
        Assert.Equal(Isa.None, all.Cap(IsaCap.None).Isa);
        Assert.Equal(Isa.Avx2 | Isa.AvxVnni | Isa.Jit, all.Cap(IsaCap.Avx2).Isa);
        Assert.Equal(all, all.Cap(IsaCap.Avx512));
    }
}
