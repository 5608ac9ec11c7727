using AiOptix.Kernels.LinearAttention;

namespace AiOptix.Kernels.Tests.LinearAttention;

public unsafe class LinearAttentionTests
{
    public static TheoryData<string> Names => [.. LinearAttentionTable.Rows.Select(r => r.Name)];

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public void RowsGiveTheBitsOfTheLastRowWhateverTheSplit(string name)
    {
        var row = LinearAttentionTable.Rows.Single(r => r.Name == name);
        Sweep.Require(row.Needs);
        foreach (var (queryHeads, keyHeads, keySize, valueSize) in new[] { (1, 1, 1, 1), (4, 2, 5, 70), (2, 2, 19, 33), (3, 1, 8, 130) })
            foreach (var decays in new long[] { 0, keyHeads, keyHeads * keySize })
                foreach (var rates in new long[] { 0, 1, keyHeads })
                {
                    var shape = new LinearAttentionDescriptor(2, 3, queryHeads, keyHeads, keySize, valueSize, decays, rates, 0.3f);
                    Sweep.AssertSame(Run(LinearAttentionTable.Rows[^1], shape, scattered: false), Run(row, shape, scattered: true), $"{name} {shape}");
                }
    }

    private static float[] Run(LinearAttentionKernel row, LinearAttentionDescriptor d, bool scattered)
    {
        var random = new Random(3);
        var tokens = d.Batch * d.Length;
        using var queries = new GuardedArray<float>(Sweep.Floats(random, tokens * d.QueryHeads * d.KeySize));
        using var keys = new GuardedArray<float>(Sweep.Floats(random, tokens * d.KeyHeads * d.KeySize));
        using var values = new GuardedArray<float>(Sweep.Floats(random, tokens * d.KeyHeads * d.ValueSize, specials: true));
        using var past = new GuardedArray<float>(Sweep.Floats(random, d.Batch * d.KeyHeads * d.KeySize * d.ValueSize));
        using var decays = new GuardedArray<float>(Sweep.Floats(random, tokens * d.Decays));
        using var rates = new GuardedArray<float>(Sweep.Floats(random, tokens * d.Rates));
        using var y = new GuardedArray<float>((int)(tokens * d.QueryHeads * d.ValueSize));
        using var present = new GuardedArray<float>((int)(d.Batch * d.KeyHeads * d.KeySize * d.ValueSize));
        var plan = new LinearAttentionPlan(d, HostTarget.Current, row);
        using var scratch = new GuardedArray<byte>((int)plan.ScratchBytes);
        var call = new LinearAttentionCall { Queries = queries.Pointer, Keys = keys.Pointer, Values = values.Pointer, Past = past.Pointer, Decays = decays.Pointer, Rates = rates.Pointer, Y = y.Pointer, Present = present.Pointer };
        if (scattered) Sweep.Scattered(plan.Tasks, (from, to) => plan.Run(call, from, to, scratch.Pointer));
        else plan.Run(call, 0, plan.Tasks, scratch.Pointer);
        return [.. y.Span, .. present.Span];
    }
}
