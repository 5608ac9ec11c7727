using AiOptix.Tensors;
using AiOptix.Threading;

namespace AiOptix.Data;

/// <summary>What becomes of a sample that cannot be read.</summary>
public enum SampleErrorPolicy
{
    /// <summary>Its batch throws a <see cref="SampleException"/>.</summary>
    Raise,
    /// <summary>It is left out: its batch is shorter, other batches are what they were.</summary>
    Skip,
    /// <summary>The next sample of the data set that can be read takes its place.</summary>
    Replace,
}

/// <summary>What ranks do with samples that do not go round evenly.</summary>
public enum ShardEnd
{
    /// <summary>Ranks that would have one sample less take one from the beginning again.</summary>
    Pad,
    /// <summary>The last, incomplete round is left out.</summary>
    Drop,
}

/// <summary>How a <see cref="DataLoader"/> reads.</summary>
public sealed record DataLoaderOptions
{
    /// <summary>Samples a batch. Null: samples come one by one, without a batch axis, and may have different shapes.</summary>
    public int? BatchSize { get; init; } = 1;

    /// <summary>Whether each epoch has an order of its own. A stream has only its own order.</summary>
    public bool Shuffle { get; init; }

    /// <summary>The seed of orders and of random transforms.</summary>
    public long Seed { get; init; }

    /// <summary>Threads that read; 0 reads on the caller's thread when a batch is asked for. Null takes what quota and affinity grant. Never changes what is read.</summary>
    public int? Workers { get; init; }

    /// <summary>Batches that are read ahead, at least 1. With the one in the user's hands they bound the memory, whatever the number of workers.</summary>
    public int Prefetch { get; init; } = 2;

    /// <summary>Whether a last batch that is not full is left out.</summary>
    public bool DropLast { get; init; }

    /// <summary>Which of <see cref="World"/> loaders this is, from 0.</summary>
    public int Rank { get; init; }

    /// <summary>How many loaders share the samples.</summary>
    public int World { get; init; } = 1;

    /// <summary>What ranks do with samples that do not go round evenly.</summary>
    public ShardEnd ShardEnd { get; init; }

    /// <summary>What becomes of a sample that cannot be read.</summary>
    public SampleErrorPolicy OnError { get; init; }

    /// <summary>Applied to each sample, in order, by the workers.</summary>
    public IReadOnlyList<Transform> Transforms { get; init; } = [];

    /// <summary>What a file or sample may ask for.</summary>
    public Limits Limits { get; init; } = Limits.Default;

    /// <summary>The number of threads that <see cref="Workers"/> stands for.</summary>
    internal int Threads => Workers ?? CpuBudget.Current.DefaultThreads;

    /// <exception cref="ArgumentException">An option is out of range or contradicts the data set.</exception>
    internal void Check(Dataset data)
    {
        Require(BatchSize is null or > 0, $"batch size {BatchSize}: expected 1 or more, or none for samples without a batch axis");
        Require(Workers is null or (>= 0 and <= 1024), $"{Workers} workers: expected 0 to 1024");
        Require(Prefetch is >= 1 and <= 65536, $"prefetch {Prefetch}: expected 1 to 65536 batches");
        Require(World >= 1, $"{World} ranks: expected 1 or more");
        Require(Rank >= 0 && Rank < World, $"rank {Rank} of {World}: expected 0 to {World - 1}");
        Require(Enum.IsDefined(OnError), $"error policy {OnError} is not known");
        Require(Enum.IsDefined(ShardEnd), $"shard end {ShardEnd} is not known");
        if (data is not StreamDataset) return;
        Require(!Shuffle, "a stream has only its own order; read it into a list to shuffle it");
        Require(OnError != SampleErrorPolicy.Replace, "a stream has no other sample to put in the place of one that cannot be read; skip it, or raise");
    }

    private static void Require(bool holds, string message)
    {
        if (!holds) throw new ArgumentException(message);
    }
}
