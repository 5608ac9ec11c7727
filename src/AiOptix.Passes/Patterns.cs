using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Passes;

/// <summary>The words in which passes say what they look for. Patterns never reach out of their own graph: what a loop's body reads stays outside of it.</summary>
internal static class Patterns
{
    /// <summary>The node of this graph whose first output a value is, when it computes such an operator.</summary>
    public static Node? MadeBy<T>(this Value? value, Graph graph) where T : Operator =>
        value?.Producer is { Operator: T } node && node.Graph == graph && value.OutputIndex == 0 ? node : null;

    /// <summary>The same, when nothing but the node at hand reads the value, however often: it goes away with the pattern.</summary>
    public static Node? MadeOnlyFor<T>(this Value? value, Node reader) where T : Operator =>
        value.MadeBy<T>(reader.Graph) is { } node && value!.OutputUses == 0 && value.Users.All(u => u == reader) ? node : null;

    /// <summary>The integers of a constant, or of a value that shape inference knows.</summary>
    public static long[]? Integers(this Value? value) =>
        value?.Elements is { } e && e.All(d => d.IsConstant) ? [.. e.Select(d => d.Constant!.Value)]
        : value?.Constant is { } t && t.DType.IsInteger() && !t.DType.IsPacked() ? t.ToInt64() : null;

    /// <summary>The number in a constant of one element, integer or floating-point.</summary>
    public static double? Number(this Value? value) =>
        value?.Constant is { Count: 1 } t && Reals.CanRead(t.DType) ? Reals.Read(t)[0] : null;

    /// <summary>True for a constant of one element that is a number up to the rounding of float32 (of the constant's own type if that is coarser).</summary>
    public static bool IsNumber(this Value? value, double expected) =>
        value.Number() is { } n && Math.Abs(n - expected) <= Math.Abs(expected) * Reals.Tolerance(value!.DType);

    /// <summary>Both orders of a commutative node's two inputs.</summary>
    public static IEnumerable<(Value First, Value Second)> Orders(this Node node)
    {
        if (node.Inputs is not [{ } a, { } b]) yield break;
        yield return (a, b);
        if (a != b) yield return (b, a);
    }

    /// <summary>True when two values have the same element type and, whatever the run, the same shape.</summary>
    public static bool SameType(this Value a, Value b) => a.TensorType is { Shape: not null } t && t.Equals(b.TensorType);

    /// <summary>A patch that has a value take over from another, or null when the graph's outputs do not allow it.</summary>
    public static Patch? ReplaceBy(this Value old, Value value, string description) =>
        Patch.CanReplace(old, value) ? new Patch(old.Graph, description).Replace(old, value) : null;

    /// <summary>True when nothing outside of a pattern reads what its nodes make, but for the last node's result.</summary>
    public static bool IsClosed(IReadOnlyCollection<Node> nodes, Node last)
    {
        foreach (var node in nodes)
            if (node != last)
                foreach (var output in node.Outputs)
                    if (output.OutputUses > 0 || output.Users.Any(u => !nodes.Contains(u))) return false;
        return true;
    }

    /// <summary>The axes of a reduction, counted from 0 and in order; null when they are not known.</summary>
    public static int[]? AxesOf(this Node reduction)
    {
        if (reduction.Operator is not Reduction op || reduction.Input(0)?.Shape is not { } s) return null;
        var given = reduction.Input(1) is { } axes ? axes.Integers() : [];
        if (given is null) return null;
        if (given.Length == 0) return op.NoopWithEmptyAxes ? null : [.. Enumerable.Range(0, s.Rank)];
        var found = given.Select(a => AxisOf(a, s.Rank)).Order().ToArray();
        return found.All(a => a >= 0) ? found : null;
    }

    /// <summary>An axis counted from 0; negative when it is out of range.</summary>
    public static int AxisOf(long axis, int rank) => axis < -rank || axis >= rank ? -1 : (int)(axis < 0 ? axis + rank : axis);
}
