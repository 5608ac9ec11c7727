using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Onnx.Microsoft;

/// <summary>
/// The numbers in a cache of GroupQueryAttention [batch, heads, length, size]: those of the model, or quotients by a scale in 8 bits (integers or float8e4m3fn), or in 4: two in a byte along
/// the last axis, the first one in the low bits, each with 8 added.
/// </summary>
internal sealed class CacheNumbers
{
    private readonly NodeReader r;
    private readonly DType type, cache;
    private readonly Value? scale;
    private readonly bool packed;

    private CacheNumbers(NodeReader r, DType type, DType cache, Value? scale, bool packed)
    {
        this.r = r;
        this.type = type;
        this.cache = cache;
        this.scale = scale;
        this.packed = packed;
    }

    /// <summary>What a node says of one of its caches.</summary>
    /// <param name="r">The node.</param>
    /// <param name="attribute">The attribute that says whether and how the cache is quantised.</param>
    /// <param name="past">The cache.</param>
    /// <param name="scale">Its scale.</param>
    /// <param name="type">The type of the keys and values themselves.</param>
    public static CacheNumbers Of(NodeReader r, string attribute, Value? past, Value? scale, DType type)
    {
        var kind = r.String(attribute, "NONE");
        if (kind is not ("NONE" or "PER_TENSOR" or "PER_CHANNEL")) throw r.Error($"{attribute} '{kind}' must be NONE, PER_TENSOR or PER_CHANNEL");
        var bits = r.Int("kv_cache_bit_width", 0);
        if (bits is not (0 or 4 or 8)) throw r.Error($"kv_cache_bit_width {bits} must be 0, 4 or 8");
        if (kind == "NONE") return past is { DType: var stored and not (DType.Float32 or DType.Float16 or DType.BFloat16) } ? throw r.Error($"a cache of {stored.Name()} needs a {attribute}") : new(r, type, past?.DType ?? type, null, false);
        var cache = past?.DType ?? throw r.Error($"{attribute} '{kind}' needs a cache");
        if (scale is null) throw r.Error($"{attribute} '{kind}' needs a scale");
        if (cache is not (DType.Int8 or DType.UInt8 or DType.Float8E4M3FN)) throw r.Error($"a quantised cache must be int8, uint8 or float8e4m3fn, found {cache.Name()}");
        if (bits == 4 && cache != DType.UInt8) throw r.Error($"a cache of 4 bits must be uint8, found {cache.Name()}");
        return new(r, type, cache, r.To(scale, DType.Float32), bits == 4);
    }

    /// <summary>Keys or values as they stand in the cache.</summary>
    public Value Stored(Value real)
    {
        if (scale is null) return r.To(real, cache);
        var steps = r.Add(new Div(), r.To(real, DType.Float32), scale);
        if (!cache.IsInteger()) return r.Add(new Cast(cache), steps);
        var (least, most) = packed ? (-8, 7) : cache == DType.UInt8 ? (0, 255) : (-128, 127);
        var whole = r.Add(new Clip(), r.Add(new Round(), steps), Number(least), Number(most));
        if (!packed) return r.Add(new Cast(cache), whole);
        var pairs = r.Shaped(r.Plus(whole, Number(8)), 0, 0, 0, -1, 2);
        return r.Add(new Cast(cache), r.Plus(r.At(pairs, 4, 0), r.Times(r.At(pairs, 4, 1), Number(16))));
    }

    /// <summary>What stands in the cache as keys or values.</summary>
    public Value Real(Value stored)
    {
        if (scale is null) return r.To(stored, type);
        var steps = r.To(stored, DType.Float32);
        if (packed)
        {
            var high = r.Add(new Floor(), r.Times(steps, Number(1 / 16f)));
            var low = r.Add(new Sub(), steps, r.Times(high, Number(16)));
            steps = r.Add(new Sub(), r.Shaped(r.Joined(4, r.Unsqueezed(low, 4), r.Unsqueezed(high, 4)), 0, 0, 0, -1), Number(8));
        }
        return r.To(r.Times(steps, scale), type);
    }

    private Value Number(float value) => r.Number(value, DType.Float32);
}
