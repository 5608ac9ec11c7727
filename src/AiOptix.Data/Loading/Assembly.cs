using AiOptix.Tensors;

namespace AiOptix.Data;

/// <summary>A batch that is being put together. All but the rows themselves is guarded by the assembler's lock.</summary>
internal sealed class Assembly(long epoch, long number, long[] indices, bool isBatched)
{
    /// <summary>The epoch that it belongs to.</summary>
    public long Epoch { get; private set; } = epoch;

    /// <summary>Which batch of the epoch.</summary>
    public long Number { get; private set; } = number;

    /// <summary>The sample of each row.</summary>
    public long[] Indices { get; } = indices;

    /// <summary>What became of each row: null where it is there.</summary>
    public SampleError?[] Errors { get; } = new SampleError?[indices.Length];

    /// <summary>Samples without a batch axis; null when there is one.</summary>
    public Sample?[]? Samples { get; } = isBatched ? null : new Sample?[indices.Length];

    /// <summary>The memory of the batch, once its fields are known.</summary>
    public Tensor[]? Targets { get; set; }

    /// <summary>Rows, fewer than indices when a stream ended early.</summary>
    public int Rows { get; set; } = indices.Length;

    /// <summary>Rows that a worker has taken on.</summary>
    public int Claimed { get; set; }

    /// <summary>Rows that are ready or failed.</summary>
    public int Done { get; set; }

    public bool IsComplete => Done == Rows;

    /// <summary>Makes it the first batch of another epoch, as long as no row is claimed.</summary>
    public void Restart(long epoch) => (Epoch, Number) = (epoch, 0);

    /// <summary>Lets go of the memory of a batch that nobody will see.</summary>
    public void Drop()
    {
        foreach (var target in Targets ?? []) target.Dispose();
        foreach (var sample in Samples ?? []) sample?.Dispose();
    }

    /// <summary>The finished batch: rows that failed are closed up.</summary>
    public Batch Finish(BatchSpec? spec)
    {
        var errors = Errors.Where(e => e is not null).Select(e => e!).ToArray();
        bool IsThere(int row) => Errors[row] is null or { Replacement: not null };
        var there = Enumerable.Range(0, Rows).Where(IsThere).ToArray();
        long[] indices = [.. there.Select(row => Errors[row]?.Replacement ?? Indices[row])];
        if (Samples is not null) return there.Length == 0 ? new(Epoch, Number, [], [], indices, errors) : new(Epoch, Number, Samples[0]!.Names, Samples[0]!.Values, indices, errors);
        if (Targets is null || spec is null) return new(Epoch, Number, [], [], indices, errors);
        if (there.Length == Indices.Length) return new(Epoch, Number, spec.Names, Targets, indices, errors);
        for (var to = 0; to < there.Length; to++)
            for (var f = 0; f < Targets.Length && there[to] != to; f++)
                new BatchRow(spec, Targets, to).Put(f, Targets[f], there[to]);
        var shortened = Targets.Select((t, f) => First(t, new Shape([there.Length, .. spec.Shapes[f].Dims]))).ToArray();
        foreach (var target in Targets) target.Dispose();
        return new(Epoch, Number, spec.Names, shortened, indices, errors);
    }

    private static Tensor First(Tensor tensor, Shape shape) =>
        tensor.DType == DType.String ? Tensor.FromStrings(tensor.Strings[..(int)shape.Count], shape) : tensor.View(0, shape);
}
