using AiOptix.Graphs;

namespace AiOptix.Cpu.Lower;

/// <summary>Lowers a node, and perhaps nodes behind it; false when it does not apply (a type without kernels, say).</summary>
internal delegate bool LoweringRule(Lowering lowering, Node node);

/// <summary>Every rule, by graph operator: the only registration there is.</summary>
internal static class LoweringRules
{
    private static readonly Dictionary<Type, LoweringRule> rules = new()
    {
    };

    /// <summary>The operators that have a rule.</summary>
    public static IEnumerable<Type> Operators => rules.Keys;

    /// <summary>The rule of an operator, or null.</summary>
    public static LoweringRule? Find(Operator op) => rules.GetValueOrDefault(op.GetType());
}
