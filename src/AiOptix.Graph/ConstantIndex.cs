using AiOptix.Tensors;

namespace AiOptix.Graphs;

/// <summary>The structural constants of a graph by content: short integer and boolean tensors, and single numbers of any other fixed-size type.</summary>
internal sealed class ConstantIndex
{
    private const int MaxBytes = 1024;

    private readonly Dictionary<int, List<Value>> byHash = [];

    public void Add(Value constant)
    {
        if (!IsStructural(constant.Constant!)) return;
        var hash = Hash(constant.Constant!);
        if (!byHash.TryGetValue(hash, out var list)) byHash[hash] = list = [];
        list.Add(constant);
    }

    public void Remove(Value constant)
    {
        if (IsStructural(constant.Constant!) && byHash.TryGetValue(Hash(constant.Constant!), out var list)) list.Remove(constant);
    }

    public Value? Find(Tensor tensor) =>
        IsStructural(tensor) && byHash.TryGetValue(Hash(tensor), out var list) ? list.Find(v => v.Constant!.BitEquals(tensor)) : null;

    private static bool IsStructural(Tensor t) =>
        t.DType != DType.String && (t.Count <= 1 || (t.ByteLength <= MaxBytes && (t.DType == DType.Bool || t.DType.IsInteger())));

    private static int Hash(Tensor t)
    {
        var h = new HashCode();
        h.Add((int)t.DType);
        h.Add(t.Shape.GetHashCode());
        h.AddBytes(t.Bytes);
        return h.ToHashCode();
    }
}
