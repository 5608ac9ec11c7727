namespace AiOptix.Tensors;

/// <summary>What a model may ask for. Model files are untrusted: whatever they demand is held against these bounds.</summary>
public sealed record Limits
{
    /// <summary>The largest single tensor, bytes. Default: half of the memory that the machine or its cgroup grants.</summary>
    public long MaxTensorBytes { get; init; } = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2;

    /// <summary>The most that a run may hold at once, bytes. Default: three quarters of that memory.</summary>
    public long MaxTotalBytes { get; init; } = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4 * 3;

    /// <summary>The most trips a single loop may make.</summary>
    public long MaxLoopTrips { get; init; } = 100_000_000;

    /// <summary>The deepest nesting of subgraphs and protobuf messages.</summary>
    public int MaxDepth { get; init; } = 64;

    /// <summary>The longest a single run may take; none by default.</summary>
    public TimeSpan? MaxRunTime { get; init; }

    /// <summary>Limits derived from this machine.</summary>
    public static Limits Default { get; } = new();

    /// <summary>Adds a value to what is held already.</summary>
    /// <param name="held">Bytes that are held.</param>
    /// <param name="tensor">What comes to it.</param>
    /// <param name="what">Who holds it, for messages.</param>
    /// <returns>The bytes that are held now.</returns>
    /// <exception cref="LimitExceededException">They are more than allowed.</exception>
    public long Charge(long held, Tensor tensor, string what)
    {
        held += tensor.DType == DType.String ? tensor.Count * 8 : tensor.ByteLength;
        return held <= MaxTotalBytes ? held : throw new LimitExceededException($"{what} holds {held} bytes; the limit is {MaxTotalBytes} bytes (Limits.MaxTotalBytes)");
    }

    /// <summary>Throws when a tensor would be larger than allowed. A string counts as the reference that holds it.</summary>
    /// <exception cref="LimitExceededException">It would.</exception>
    public void CheckTensor(DType type, Shape shape, string what)
    {
        long bits = type == DType.String ? 64 : type.Bits();
        foreach (var d in shape.Dims) bits = d == 0 ? 0 : bits > long.MaxValue / d ? long.MaxValue : bits * d;
        var bytes = bits / 8 + (bits % 8 == 0 ? 0 : 1);
        if (bytes > MaxTensorBytes)
            throw new LimitExceededException($"{what} would be {type.Name()}{shape}, {bytes} bytes; the limit is {MaxTensorBytes} bytes (Limits.MaxTensorBytes)");
    }
}
