using AiOptix.Onnx;
using AiOptix.Tensors;

namespace AiOptix.Differential.Tests.Recipes;

/// <summary>All recipes, and the operators that have none.</summary>
internal static class Book
{
    public static IReadOnlyDictionary<string, Recipe> Default { get; } =
        new[] { Elementwise.Recipes, Movement.Recipes, Windows.Recipes, Contractions.Recipes, Others.Recipes }.SelectMany(r => r).ToDictionary(r => r.OpType, StringComparer.Ordinal);

    /// <summary>Those of other domains.</summary>
    public static IReadOnlyList<Recipe> OtherDomains { get; } = [.. MicrosoftFloat.Recipes, .. MicrosoftQuantized.Recipes, .. MicrosoftAttention.Recipes, .. MachineLearning.Recipes];

    /// <summary>Every version of every operator of the default domain that has a recipe.</summary>
    public static IReadOnlyList<OperatorTypes.Signature> Signatures { get; } = [.. OperatorTypes.All.Where(s => Default.ContainsKey(s.Name) && s.Inputs.Length + s.Results.Length > 0).OrderBy(s => s.Name, StringComparer.Ordinal).ThenBy(s => s.Since)];

    /// <summary>The versions that an operator set has, of some operators or of all.</summary>
    public static IReadOnlyList<OperatorTypes.Signature> At(long opset, string[] only) =>
        [.. Signatures.Where(s => s.Since <= opset && opset < Until(s) && (only.Length == 0 || only.Contains(s.Name)))];

    /// <summary>A node that no signature lists, mostly of another domain; null when the recipe rejects what was drawn.</summary>
    public static NodeDraft? Foreign(Recipe recipe, Draw draw, long opset = 17)
    {
        var draft = new NodeDraft(draw, recipe.Domain, null, recipe.OpType, recipe.Domain.Length == 0 ? opset : recipe.Since, new Dictionary<string, DType>());
        try
        {
            recipe.Write(draft);
            return draft;
        }
        catch (RejectedException)
        {
            return null;
        }
    }

    /// <summary>The first operator set that no longer has a version.</summary>
    public static long Until(OperatorTypes.Signature s) =>
        OperatorTypes.All.Where(o => o.Name == s.Name && o.Since > s.Since).Select(o => o.Since).DefaultIfEmpty(OnnxVersions.HighestOpset + 1).Min();

    /// <summary>A node of a version; null when the recipe rejects the types.</summary>
    /// <param name="signature">The version.</param>
    /// <param name="draw">The source.</param>
    /// <param name="opset">The operator set.</param>
    /// <param name="fixedTypes">Types that are not drawn.</param>
    /// <param name="chained">An operand to use where it fits.</param>
    public static NodeDraft? Node(OperatorTypes.Signature signature, Draw draw, long opset, IReadOnlyDictionary<string, DType>? fixedTypes = null, Operand? chained = null)
    {
        var types = new Dictionary<string, DType>(StringComparer.Ordinal);
        foreach (var p in signature.Inputs.Concat(signature.Results))
            if (p.Types is { Count: > 0 } set && !types.ContainsKey(p.Variable))
                types[p.Variable] = fixedTypes is not null && fixedTypes.TryGetValue(p.Variable, out var t) ? t : chained is not null && set.Contains(chained.DType) ? chained.DType : Common(draw, set);
        var draft = new NodeDraft(draw, "", signature, signature.Name, opset, types) { Chained = chained };
        try
        {
            Default[signature.Name].Write(draft);
            return draft;
        }
        catch (RejectedException)
        {
            return null;
        }
    }

    private static DType Common(Draw draw, HashSet<DType> set)
    {
        DType[] all = [.. set.Order()];
        return set.Contains(DType.Float32) && draw.Chance(0.6) ? DType.Float32 : draw.Of(all);
    }
}
