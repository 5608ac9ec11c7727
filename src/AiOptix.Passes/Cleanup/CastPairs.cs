using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Passes.Cleanup;

/// <summary>Merges a Cast of a Cast into one, or into none, when the type in the middle holds every value of the first one and so loses nothing.</summary>
public sealed class CastPairs : IPass
{
    /// <inheritdoc/>
    public Patch? Match(Graph graph, Node node)
    {
        if (node.Operator is not Cast outer || node.Input(0).MadeBy<Cast>(graph) is not { } inner || inner.Input(0) is not { } source) return null;
        var (from, middle, to) = (source.DType, ((Cast)inner.Operator).To, outer.To);
        if (!Holds(middle, from) || !IsPlain(to)) return null;
        if (to == from) return node.Output.ReplaceBy(source, $"undoes {inner}");
        var same = Holds(to, from) || to == DType.Bool || middle.IsInteger() || (from.IsFloat() && to.IsFloat());
        if (!same) return null;
        var patch = new Patch(graph, $"one conversion with {inner}");
        return patch.Replace(node.Output, patch.Add(outer, source));
    }

    /// <summary>True when a type has every value of another.</summary>
    internal static bool Holds(DType type, DType other)
    {
        if (!IsPlain(type) || !IsPlain(other)) return false;
        if (type == other || other == DType.Bool) return true;
        if (type == DType.Bool) return false;
        if (other.IsFloat()) return type == DType.Float64 || (type == DType.Float32 && other is DType.Float16 or DType.BFloat16);
        if (type.IsFloat()) return Digits(other) <= Digits(type);
        return IsSigned(type) == IsSigned(other) ? type.Bits() >= other.Bits() : IsSigned(type) && type.Bits() > other.Bits();
    }

    private static bool IsPlain(DType type) =>
        type is DType.Bool or DType.Float16 or DType.BFloat16 or DType.Float32 or DType.Float64 || (type.IsInteger() && !type.IsPacked());

    private static bool IsSigned(DType type) => type is DType.Int8 or DType.Int16 or DType.Int32 or DType.Int64;

    /// <summary>The bits of a significand.</summary>
    private static int Digits(DType type) => type switch
    {
        DType.BFloat16 => 8,
        DType.Float16 => 11,
        DType.Float32 => 24,
        DType.Float64 => 53,
        _ => type.Bits() - (IsSigned(type) ? 1 : 0),
    };
}
