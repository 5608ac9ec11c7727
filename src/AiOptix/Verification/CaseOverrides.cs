namespace AiOptix.Verification;

/// <summary>What it takes for the answers of a case to match.</summary>
public enum CaseComparison
{
    /// <summary>Every value within the tolerance.</summary>
    Values,

    /// <summary>Element type and shape only: the values are random.</summary>
    Form,

    /// <summary>The largest element of every row at the same place, and a cosine of at least 0.999: the model is quantised, so values on a rounding boundary move by a step.</summary>
    Ranking,

    /// <summary>Every value within the tolerance; strings were recorded without their shape.</summary>
    FlatStrings,

    /// <summary>Every value within the tolerance or 1e-6 of the largest one: the recorded answer holds its own rounding errors where the true one is 0.</summary>
    Rounded,
}

/// <summary>A case that is not held to the tolerance.</summary>
/// <param name="Case">The last part of the case's name; a star at its end stands for any ending.</param>
/// <param name="Comparison">What it is held to.</param>
public sealed record CaseOverride(string Case, CaseComparison Comparison)
{
    /// <summary>Whether it names a case.</summary>
    public bool Names(ModelCase modelCase)
    {
        var name = modelCase.Name[(modelCase.Name.LastIndexOf('/') + 1)..];
        return Case.EndsWith('*') ? name.StartsWith(Case[..^1], StringComparison.Ordinal) : name == Case;
    }
}

/// <summary>The list of cases that are not held to the tolerance; it is the only one.</summary>
public static class CaseOverrides
{
    /// <summary>Every entry. Dropout in training with a ratio of 0 drops nothing and is therefore not here.</summary>
    public static IReadOnlyList<CaseOverride> All { get; } =
    [
        new("test_bernoulli*", CaseComparison.Form),
        new("test_training_dropout", CaseComparison.Form),
        new("test_training_dropout_default", CaseComparison.Form),
        new("test_training_dropout_default_mask", CaseComparison.Form),
        new("test_training_dropout_mask", CaseComparison.Form),
        new("test_dft_inverse", CaseComparison.Rounded),
        new("test_dft_inverse_opset19", CaseComparison.Rounded),
        new("mobilenetv2-int8-qdq", CaseComparison.Ranking),
        new("squeezenet-food-winml", CaseComparison.FlatStrings),
    ];

    /// <summary>What a case is held to.</summary>
    public static CaseComparison Of(ModelCase modelCase) => All.FirstOrDefault(o => o.Names(modelCase))?.Comparison ?? CaseComparison.Values;
}
