using AiOptix.Kernels.Jit;

namespace AiOptix.Kernels.Peak;

/// <summary>The code of nothing but VNNI dot products on registers: as many independent ones as hide their latency, as often as the argument says.</summary>
/// <param name="VectorBytes">Bytes of a vector.</param>
internal sealed record DotPeak(int VectorBytes) : IKernelCode
{
    /// <summary>Independent sums.</summary>
    public const int Chains = 12;

    /// <inheritdoc/>
    public string Name => $"peak_u8s8s32_{(VectorBytes == 64 ? "avx512vnni" : "avxvnni")}_jit";

    /// <inheritdoc/>
    public KernelGenerator Generator() => new Loop(VectorBytes);

    private sealed class Loop(int vectorBytes) : KernelGenerator(vectorBytes)
    {
        protected override void Body()
        {
            var again = new Label();
            Code.Load(Gpr.Rax, new(Arguments));
            for (var i = 0; i < Chains + 2; i++) Code.Vector(VectorOp.Xor, i, i, i);
            Code.Set(again);
            for (var i = 0; i < Chains; i++) Code.Vector(VectorOp.DotBytes, i, Chains, Chains + 1);
            Code.Decrement(Gpr.Rax);
            Code.JumpIfNotZero(again);
        }
    }
}
