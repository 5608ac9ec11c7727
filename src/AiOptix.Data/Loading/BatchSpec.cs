using AiOptix.Tensors;

namespace AiOptix.Data;

/// <summary>What every sample of a loader must be: the fields of the first sample that could be read.</summary>
/// <param name="Names">Names of the fields.</param>
/// <param name="Types">Their element types.</param>
/// <param name="Shapes">Their shapes, without a batch axis.</param>
/// <param name="Origin">Where that sample came from.</param>
internal sealed record BatchSpec(IReadOnlyList<string> Names, IReadOnlyList<DType> Types, IReadOnlyList<Shape> Shapes, string Origin)
{
    public static BatchSpec Of(Sample sample, string origin)
    {
        var tensors = sample.Tensors;
        return new(sample.Names, [.. tensors.Select(v => v.DType)], [.. tensors.Select(v => v.Shape)], origin);
    }

    /// <summary>Bytes of a row of a field; 0 for strings.</summary>
    public long RowBytes(int field) => Types[field] == DType.String ? 0 : Types[field].ByteLength(Shapes[field].Count);

    /// <summary>Memory for so many rows of a field.</summary>
    public Tensor Rent(int field, long rows, BufferPool pool, Limits limits)
    {
        var shape = new Shape([rows, .. Shapes[field].Dims]);
        limits.CheckTensor(Types[field], shape, $"a batch of '{Names[field]}'");
        if (Types[field].IsPacked()) throw new InputTypeException($"'{Names[field]}' is {Types[field].Name()}, whose elements share bytes; such samples cannot be batched");
        return pool.Rent(Types[field], shape);
    }

    /// <summary>Throws unless a sample has the fields, types and shapes.</summary>
    public void Check(Sample sample)
    {
        if (!ReferenceEquals(sample.Names, Names) && !sample.Names.SequenceEqual(Names))
            throw new InvalidInputException($"found the fields {Quoted(sample.Names)}, expected {Quoted(Names)} as in {Origin}");
        for (var i = 0; i < Names.Count; i++)
        {
            var value = sample.Values[i];
            if (value is Tensor t && t.DType == Types[i] && t.Shape == Shapes[i]) continue;
            throw new InvalidInputException($"'{Names[i]}' is {value}, expected {Types[i].Name()}{Shapes[i]} as in {Origin}; samples of different shapes need batch size none, or a transform that makes them equal");
        }
    }

    private static string Quoted(IReadOnlyList<string> names) => string.Join(", ", names.Select(n => $"'{n}'"));
}

/// <summary>A row of a batch that is being put together.</summary>
/// <param name="Spec">What its fields are.</param>
/// <param name="Targets">The tensors of the batch, a row a sample.</param>
/// <param name="Row">Which row.</param>
/// <param name="First">The field that counts as the first one.</param>
internal readonly record struct BatchRow(BatchSpec Spec, Tensor[] Targets, int Row, int First = 0)
{
    private const int Chunk = 1 << 30;

    /// <summary>Copies one of many rows into a field.</summary>
    public void Put(int field, Tensor source, long sourceRow)
    {
        var target = Targets[First + field];
        if (target.DType == DType.String)
        {
            var length = (int)Spec.Shapes[First + field].Count;
            Array.Copy(source.Strings, sourceRow * length, target.Strings, (long)Row * length, length);
            return;
        }
        var bytes = Spec.RowBytes(First + field);
        long from = sourceRow * bytes, to = Row * bytes;
        for (long done = 0; done < bytes; done += Chunk)
        {
            var n = (int)Math.Min(Chunk, bytes - done);
            source.BytesAt(from + done, n).CopyTo(target.BytesAt(to + done, n));
        }
        GC.KeepAlive(source);
        GC.KeepAlive(target);
    }

    /// <summary>Copies a sample that was checked.</summary>
    public void Put(Sample sample)
    {
        for (var i = 0; i < sample.Values.Count; i++) Put(i, (Tensor)sample.Values[i], 0);
    }
}
