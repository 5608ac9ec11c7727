using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Passes.Quantize;

/// <summary>What of a graph is in bytes under a plan.</summary>
/// <param name="Products">The static products.</param>
/// <param name="Followers">The nodes between them that stay in bytes.</param>
/// <param name="Bytes">The values that products and followers hand on as bytes.</param>
/// <param name="Ranges">The range of every value that is needed; values that only move share one.</param>
internal sealed record QuantizedRegion(HashSet<Node> Products, HashSet<Node> Followers, HashSet<Value> Bytes, Dictionary<Value, ActivationRange> Ranges)
{
    /// <summary>Finds it, from inputs to outputs.</summary>
    public static QuantizedRegion Of(Graph graph, QuantizationPlan plan)
    {
        var region = new QuantizedRegion([], [], [], []);
        var groups = new Groups();
        ActivationRange? Range(Value? value) => value is not null && plan.Ranges.TryGetValue(value.Name, out var range) ? range : null;
        foreach (var product in Quantizable.Products(graph))
            if (plan.Nodes.GetValueOrDefault(product.Name) == QuantizedForm.Static && Range(product.Node.Input(0)) is not null && Range(Quantizable.End(product.Node).Output) is not null)
                region.Products.Add(product.Node);
        foreach (var node in graph.Nodes)
        {
            var end = Quantizable.End(node);
            if (region.Products.Contains(node))
            {
                groups.Own(node.Inputs[0]!, Range(node.Inputs[0]!)!.Value);
                if (plan.FloatResults && !region.LeadsToProduct(end.Output, plan.Followers, [])) continue;
                groups.Own(end.Output, Range(end.Output)!.Value);
                region.Bytes.Add(end.Output);
            }
            else if (plan.Followers && Quantizable.Follows(node) && region.CanFollow(node, v => Range(v) is not null))
            {
                region.Followers.Add(node);
                var moves = Quantizable.Moves(node);
                if (moves)
                    foreach (var i in Quantizable.Numbers(node))
                        foreach (var output in node.Outputs) groups.Join(node.Inputs[i]!, output);
                foreach (var output in end == node ? node.Outputs : [end.Output])
                {
                    if (!moves) groups.Own(output, Range(output)!.Value);
                    region.Bytes.Add(output);
                }
            }
        }
        foreach (var (value, range) in groups.Ranges()) region.Ranges.Add(value, range);
        return region;
    }

    private bool CanFollow(Node node, Func<Value, bool> hasRange)
    {
        var numbers = Quantizable.Numbers(node).Select(node.Input).ToArray();
        var constants = node.Operator is Add or Mul;
        if (!numbers.All(v => v is { DType: DType.Float32 } && (Bytes.Contains(v) || constants && v.IsConstant)) || !numbers.Any(v => !v!.IsConstant)) return false;
        // A bias that stands apart is no sum of two activations: as bytes it would lose what int32 keeps.
        if (node.Operator is Add && numbers.Any(v => v!.IsConstant)) return false;
        return (Quantizable.End(node) == node ? node.Outputs : [Quantizable.End(node).Output]).All(hasRange);
    }

    /// <summary>Whether a value reaches a static product through nodes that would stay in bytes.</summary>
    private bool LeadsToProduct(Value value, bool followers, HashSet<Value> seen) => seen.Add(value) && value.Users.Any(u => Products.Contains(u) && u.Inputs[0] == value
        || followers && Quantizable.Follows(u) && (Quantizable.End(u) == u ? u.Outputs : [Quantizable.End(u).Output]).Any(o => LeadsToProduct(o, followers, seen)));

    /// <summary>Sets of values that share a range: the union of what their sources need.</summary>
    private sealed class Groups
    {
        private readonly Dictionary<Value, Value> parents = [];
        private readonly Dictionary<Value, ActivationRange> owned = [];

        public void Own(Value value, ActivationRange range) => owned[Root(value)] = owned.TryGetValue(Root(value), out var there) ? there.Join(range) : range;

        public void Join(Value a, Value b)
        {
            var (x, y) = (Root(a), Root(b));
            if (x == y) return;
            parents[y] = x;
            if (!owned.Remove(y, out var range)) return;
            owned[x] = owned.TryGetValue(x, out var there) ? there.Join(range) : range;
        }

        public IEnumerable<(Value, ActivationRange)> Ranges() => parents.Keys.Select(v => (v, owned[Root(v)]));

        private Value Root(Value value)
        {
            if (!parents.TryGetValue(value, out var parent)) parents[value] = parent = value;
            return parent == value ? value : parents[value] = Root(parent);
        }
    }
}
