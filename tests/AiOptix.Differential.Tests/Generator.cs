using AiOptix.Differential.Tests.Recipes;
using AiOptix.Onnx;
using AiOptix.Tensors;

namespace AiOptix.Differential.Tests;

/// <summary>Draws models from seeds: single nodes, and small graphs in which a node takes what one before it made.</summary>
internal static class Generator
{
    private const int NewestPeerOpset = 23;

    /// <summary>The model of a seed.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="size">The largest extent.</param>
    /// <param name="only">Operators to draw from; all when empty.</param>
    public static Generated Draw(int seed, int size = 4, params string[] only)
    {
        for (var attempt = 0; ; attempt++)
        {
            var draw = new Draw(unchecked(seed * 7919 + attempt), size);
            if (attempt > 200) throw new InvalidOperationException($"nothing can be drawn from seed {seed}");
            var opset = draw.Chance(0.85) ? draw.Between(7, NewestPeerOpset) : draw.Between(1, (int)OnnxVersions.HighestOpset);
            var nodes = draw.Chance(0.65) ? 1 : draw.Between(2, 4);
            if (Nodes(draw, opset, nodes, only) is { } g) return g with { Name = $"seed {seed}: {g.Name}" };
        }
    }

    private static Generated? Nodes(Draw draw, int opset, int count, string[] only)
    {
        var drafts = new List<NodeDraft>();
        var links = new Dictionary<Operand, (int, int)>(ReferenceEqualityComparer.Instance);
        Generated? whole = null;
        Operand? chained = null;
        while (drafts.Count < count)
        {
            if (Node(draw, opset, chained, only) is not { } draft) return null;
            drafts.Add(draft);
            whole = Generated.Of($"{string.Join(", ", drafts.Select(d => d.OpType))} (opset {opset})", drafts, draw, links);
            if (drafts.Count == count) break;
            try
            {
                var results = Levels.Reference(whole);
                var first = results.Count - draft.Outputs;
                var tensors = Enumerable.Range(0, draft.Outputs).Where(i => results[first + i] is Tensor { Count: < 4096 }).ToArray();
                if (tensors.Length == 0) return whole;
                var pick = draw.Of(tensors);
                chained = new(results[first + pick], false);
                links[chained] = (drafts.Count - 1, pick);
            }
            catch (Exception)
            {
                return whole;
            }
        }
        return whole;
    }

    private static NodeDraft? Node(Draw draw, int opset, Operand? chained, string[] only)
    {
        if (Book.OtherDomains.Count > 0 && chained is null && (only.Length == 0 ? draw.Chance(0.3) : Book.OtherDomains.Any(r => only.Contains(r.OpType) && !Book.Default.ContainsKey(r.OpType))))
        {
            var recipes = only.Length == 0 ? Book.OtherDomains : [.. Book.OtherDomains.Where(r => only.Contains(r.OpType))];
            return Book.Foreign(recipes[draw.Below(recipes.Count)], draw, opset);
        }
        var there = Book.At(opset, only);
        return there.Count == 0 ? null : Book.Node(there[draw.Below(there.Count)], draw, opset, chained: chained);
    }
}
