namespace AiOptix.Differential.Tests.Recipes;

/// <summary>How to draw nodes of an operator: every version of it and every type that the signature lists.</summary>
/// <param name="OpType">The operator.</param>
/// <param name="Write">Draws operands and attributes.</param>
/// <param name="Domain">Its domain.</param>
/// <param name="Since">The version of the domain that a file imports for it.</param>
internal sealed record Recipe(string OpType, Action<NodeDraft> Write, string Domain = "", long Since = 1)
{
    /// <summary>One recipe for several operators.</summary>
    public static IEnumerable<Recipe> Each(string names, Action<NodeDraft> write) => names.Split(' ').Select(n => new Recipe(n, write));
}
