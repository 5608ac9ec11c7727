using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Onnx.Microsoft;

/// <summary>
/// Caches of GroupQueryAttention that hold the last keys only (sliding_window_cache): C rows, of which a sequence of T keys fills the first T - E(T) with its last ones in order. Rows are
/// freed G = C - window + 1 at a time: E(T) = G · ⌈max(0, T - C) / G⌉. What stands in the rows behind is not defined.
/// </summary>
internal sealed class WindowedCache
{
    private readonly NodeReader r;
    private readonly Value capacity, rows;

    /// <param name="r">The node.</param>
    /// <param name="cache">The keys' cache [batch, heads, C, size].</param>
    /// <param name="window">How many keys a query attends.</param>
    /// <param name="before">How many keys each sequence has without the new ones.</param>
    /// <param name="after">How many it has with them.</param>
    /// <param name="added">The number of new ones, a scalar.</param>
    public WindowedCache(NodeReader r, Value cache, long window, Value before, Value after, Value added)
    {
        this.r = r;
        if (cache.Shape?[2].Constant is { } known && known < window) throw r.Error($"a cache of {known} keys is shorter than the window of {window}");
        capacity = r.Extent(cache, 2);
        var freed = r.Add(new Sub(), capacity, Scalar(window - 1));
        Value Evicted(Value count)
        {
            var beyond = r.Add(new Max(), r.Add(new Sub(), count, capacity), Scalar(0));
            return r.Times(freed, r.Add(new Div(), r.Plus(beyond, r.Add(new Sub(), freed, Scalar(1))), freed));
        }
        Value Column(Value vector) => r.Unsqueezed(vector, 1);
        var places = r.Counted(capacity);
        var (first, last) = (Column(Evicted(before)), Column(Evicted(after)));
        var old = r.Plus(first, places);
        // Rows that nothing stands in are places that no query reaches.
        var held = r.Add(new Where(), r.Add(new Less(), old, Column(before)), old, Scalar(long.MaxValue));
        Places = r.Joined(1, held, r.Plus(Column(before), r.Counted(added)));
        var kept = r.Plus(last, places);
        var fresh = r.Plus(r.Add(new Sub(), kept, Column(before)), capacity);
        var from = r.Add(new Where(), r.Add(new Less(), kept, Column(before)), r.Add(new Sub(), kept, first), fresh);
        rows = r.Add(new Min(), from, r.Plus(r.Plus(capacity, added), Scalar(-1)));
    }

    /// <summary>The places in their sequences of the old keys and the new ones behind them: [batch, C + added].</summary>
    public Value Places { get; }

    /// <summary>The old entries with the new ones behind them, and the cache that is left.</summary>
    public (Value Attended, Value Present) Joined(Value past, Value added)
    {
        var all = r.Joined(2, past, added);
        var index = r.Add(new Expand(), r.Unsqueezed(rows, 1, 3), r.Add(new ShapeOf(), past));
        return (all, r.Add(new GatherElements(2), all, index));
    }

    /// <summary>Columns [batch or 1, heads or 1, queries, total] for the places that are attended.</summary>
    public Value AtPlaces(Value columns, Value total)
    {
        var index = r.Unsqueezed(r.Add(new Min(), Places, r.Add(new Sub(), total, Scalar(1))), 1, 2);
        var outer = r.Joined(0, r.Extents(Places, 0, 1), r.Extents(columns, 1, 3));
        var all = r.Add(new Expand(), columns, r.Joined(0, outer, r.Constant(1L)));
        return r.Add(new GatherElements(3), all, r.Add(new Expand(), index, r.Joined(0, outer, r.Constant(1L))));
    }

    private Value Scalar(long value) => r.Constant(Tensor.Scalar(value));
}
