namespace AiOptix.Bench.Compare;

/// <summary>What to compare, and how.</summary>
internal sealed record CompareOptions
{
    /// <summary>Folders of models, or model files.</summary>
    internal IReadOnlyList<string> Models { get; init; } = [];

    /// <summary>Folders or files of light models, whose weights are drawn.</summary>
    internal IReadOnlyList<string> Light { get; init; } = [];

    /// <summary>Whether the zoo's models take part.</summary>
    internal bool Zoo { get; init; }

    /// <summary>Only models whose name contains one of these; all when empty.</summary>
    internal IReadOnlyList<string> Only { get; init; } = [];

    /// <summary>Thread counts, each a comparison of its own.</summary>
    internal IReadOnlyList<int> Threads { get; init; } = [1];

    /// <summary>Compares static int8 forms of the zoo's models.</summary>
    internal bool Int8 { get; init; }

    /// <summary>Where to write the figures; null writes none.</summary>
    internal string? Json { get; init; }

    /// <summary>Extents for axes that models leave open, by symbol.</summary>
    internal IReadOnlyDictionary<string, long> Extents { get; init; } = new Dictionary<string, long>();

    /// <summary>Pairs of turns a model.</summary>
    internal int Rounds { get; init; } = 15;

    /// <summary>Seeds weights of the zoo and of light models, and inputs that are drawn.</summary>
    internal int Seed { get; init; }

    /// <summary>Whether load time and peak memory are measured, in processes of their own.</summary>
    internal bool Footprint { get; init; } = true;
}
