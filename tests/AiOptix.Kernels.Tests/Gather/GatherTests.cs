using AiOptix.Kernels.Gather;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Tests.Gather;

public unsafe class GatherTests
{
    public static TheoryData<string> Names => [.. GatherTable.Rows.Select(r => r.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Row_gathers_with_wrapped_indices(string name)
    {
        var row = GatherTable.Rows.Single(r => r.Name == name);
        var random = new Random(3);
        for (var trial = 0; trial < 60; trial++)
        {
            var inner = row.InnerBytes != 0 ? row.InnerBytes : random.Next(1, 200);
            var d = new GatherDescriptor(random.Next(1, 6), random.Next(1, 50), inner, trial % 20 == 0 ? 20_000 : random.Next(0, 40), row.IndexType);
            var bad = trial % 7 == 3 && d.Count > 0 ? random.NextInt64(d.Count) : -1;
            using var data = new GuardedArray<byte>(d.Outer * d.Length * inner);
            using var result = new GuardedArray<byte>(d.Outer * d.Count * inner);
            using var indices = new GuardedArray<byte>(d.Count * (d.IndexType.Bits() / 8));
            random.NextBytes(data.Span);
            var values = new long[d.Count];
            for (var i = 0; i < d.Count; i++)
            {
                values[i] = i == bad ? (random.Next(2) == 0 ? d.Length : -d.Length - 1) : random.NextInt64(-d.Length, d.Length);
                if (d.IndexType == DType.Int64) ((long*)indices.Pointer)[i] = values[i];
                else ((int*)indices.Pointer)[i] = (int)values[i];
            }
            result.Span.Fill(0xEE);
            var plan = new GatherPlan(d, row);
            var good = true;
            Sweep.Scattered(plan.Tasks, (first, end) => good &= plan.Run(data.Pointer, indices.Pointer, result.Pointer, first, end));
            Assert.Equal(bad < 0, good);
            for (long n = 0; n < d.Outer * d.Count; n++)
            {
                var (o, i) = Math.DivRem(n, d.Count);
                var entry = result.Span.Slice((int)(n * inner), (int)inner);
                if (i == bad)
                {
                    Assert.Equal(-1, entry.IndexOfAnyExcept((byte)0xEE));
                    continue;
                }
                var index = values[i] < 0 ? values[i] + d.Length : values[i];
                Assert.True(entry.SequenceEqual(data.Span.Slice((int)((o * d.Length + index) * inner), (int)inner)), $"{name} {d} entry {n}");
            }
        }
    }

    [Fact]
    public void Other_index_types_are_refused() =>
        Assert.Throws<UnsupportedModelException>(() => new GatherPlan(new GatherDescriptor(1, 1, 4, 1, DType.UInt8)));
}
