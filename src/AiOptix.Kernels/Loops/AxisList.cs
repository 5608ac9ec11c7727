namespace AiOptix.Kernels.Loops;

/// <summary>
/// The axes that several operands of one element-wise walk share: sizes, outermost first, and per operand the distance in bytes between
/// neighbours. Axes of size 1 are dropped, and neighbours that continue each other in every operand are merged.
/// </summary>
internal sealed class AxisList
{
    private readonly List<long> dims = [];
    private readonly List<long[]> strides = [];

    public AxisList(int operands) => Operands = operands;

    public int Operands { get; }
    public int Count => dims.Count;

    public long Dim(int axis) => dims[axis];

    public long Stride(int axis, int operand) => strides[axis][operand];

    /// <summary>Adds an axis inside those that are there.</summary>
    public void Add(long dim, params long[] byteStrides)
    {
        if (dim == 1) return;
        dims.Add(dim);
        strides.Add(byteStrides);
    }

    public void RemoveInnermost()
    {
        strides.RemoveAt(Count - 1);
        dims.RemoveAt(Count - 1);
    }

    /// <summary>Puts the axes into the order of falling strides of one operand.</summary>
    public void OrderBy(int operand)
    {
        for (var end = 1; end < Count; end++)
        {
            var (dim, stride) = (dims[end], strides[end]);
            var k = end;
            for (; k > 0 && strides[k - 1][operand] < stride[operand]; k--) (dims[k], strides[k]) = (dims[k - 1], strides[k - 1]);
            (dims[k], strides[k]) = (dim, stride);
        }
    }

    /// <summary>Merges neighbours that continue each other.</summary>
    public void Merge()
    {
        for (var k = Count - 2; k >= 0; k--)
        {
            var inner = k + 1;
            var follows = true;
            for (var operand = 0; operand < Operands; operand++) follows &= strides[k][operand] == strides[inner][operand] * dims[inner];
            if (!follows) continue;
            dims[k] *= dims[inner];
            strides[k] = strides[inner];
            dims.RemoveAt(inner);
            strides.RemoveAt(inner);
        }
    }

    /// <summary>The axes of a broadcast: the result is dense in row-major order, inputs have strides in elements.</summary>
    /// <param name="dims">Sizes of the result.</param>
    /// <param name="resultSize">Bytes of a result element.</param>
    /// <param name="inputs">Strides per input, one an axis, in elements, and bytes of an element.</param>
    public static AxisList Broadcast(long[] dims, int resultSize, params (long[] Strides, int Size)[] inputs)
    {
        var list = new AxisList(inputs.Length + 1);
        long dense = resultSize;
        foreach (var d in dims) dense *= d;
        for (var k = 0; k < dims.Length; k++)
        {
            dense /= Math.Max(dims[k], 1);
            var row = new long[inputs.Length + 1];
            for (var i = 0; i < inputs.Length; i++) row[i] = inputs[i].Strides[k] * inputs[i].Size;
            row[^1] = dense;
            list.Add(dims[k], row);
        }
        list.Merge();
        return list;
    }
}
