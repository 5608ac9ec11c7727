namespace AiOptix.Tensors;

/// <summary>What a model may ask for. Model files are untrusted: whatever they demand is held against these bounds.</summary>
public sealed record Limits
{
    /// <summary>The largest single tensor, bytes. Default: the memory that the machine or its cgroup grants.</summary>
    public long MaxTensorBytes { get; init; } = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>The most that a run may hold at once, bytes.</summary>
    public long MaxTotalBytes { get; init; } = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>The most trips a single loop may make.</summary>
    public long MaxLoopTrips { get; init; } = 100_000_000;

    /// <summary>The deepest nesting of subgraphs and protobuf messages.</summary>
    public int MaxDepth { get; init; } = 64;

    /// <summary>The longest a single run may take; none by default.</summary>
    public TimeSpan? MaxRunTime { get; init; }

    /// <summary>Limits derived from this machine.</summary>
    public static Limits Default { get; } = new();

    /// <summary>Throws when a tensor would be larger than allowed.</summary>
    /// <exception cref="LimitExceededException">It would.</exception>
    public void CheckTensor(DType type, Shape shape, string what)
    {
        var bytes = type.ByteLength(shape.Count);
        if (bytes > MaxTensorBytes)
            throw new LimitExceededException($"{what} would be {type.Name()}{shape}, {bytes} bytes; the limit is {MaxTensorBytes} bytes (Limits.MaxTensorBytes)");
    }
}
