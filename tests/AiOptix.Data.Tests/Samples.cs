using AiOptix.Tensors;

namespace AiOptix.Data.Tests;

/// <summary>Data sets whose samples say which ones they are.</summary>
internal static class Samples
{
    /// <summary>Field x: int64 [2], the index and its square; field name: the index as text.</summary>
    public static IndexedDataset Numbered(int count) => Datasets.Function(count, (i, _) => Of(i));

    /// <summary>The same, slower for some, so that workers finish out of order.</summary>
    public static IndexedDataset Uneven(int count) => Datasets.Function(count, (i, _) =>
    {
        if (i % 3 == 0) Thread.Sleep(1);
        return Of(i);
    });

    public static Sample Of(long i) => new(["x", "name"], [Tensor.Vector<long>(i, i * i), Tensor.FromStrings([$"sample {i}"], Shape.Scalar)]);

    /// <summary>What a loader gives: epoch, batch, and the indices as the data say.</summary>
    public static List<string> Read(DataLoader loader, int most = int.MaxValue)
    {
        var read = new List<string>();
        foreach (var batch in loader)
        {
            using (batch) read.Add(Text(batch));
            if (read.Count == most) break;
        }
        return read;
    }

    public static string Text(Batch batch)
    {
        if (batch.Names.Count == 0) return $"{batch.Epoch}/{batch.Number}: -";
        var values = batch["x"].Span<long>().ToArray();
        for (var i = 0; i < batch.Count; i++)
        {
            Assert.Equal(values[2 * i] * values[2 * i], values[2 * i + 1]);
            Assert.Equal(values[2 * i], batch.Indices[i]);
            if (batch.Names.Contains("name")) Assert.Equal($"sample {values[2 * i]}", batch["name"].Strings[i]);
        }
        GC.KeepAlive(batch);
        return $"{batch.Epoch}/{batch.Number}: {string.Join(' ', Enumerable.Range(0, batch.Count).Select(i => values[2 * i]))}";
    }
}
