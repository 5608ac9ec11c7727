using AiOptix.Graphs;
using AiOptix.Tensors;

namespace AiOptix;

/// <summary>How a model is loaded.</summary>
public sealed record LoadOptions
{
    /// <summary>Bounds on what the file may ask for.</summary>
    public Limits Limits { get; init; } = Limits.Default;

    /// <summary>Operators of the user's own.</summary>
    public IReadOnlyList<OperatorDefinition> Operators { get; init; } = [];
}
