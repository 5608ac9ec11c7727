using AiOptix.Tensors;

namespace AiOptix.Python;

/// <summary>The inputs and output buffers of a run, from dicts.</summary>
internal static unsafe class Arguments
{
    /// <summary>A value for each input. On failure what was made so far is let go.</summary>
    public static RuntimeValue[] Inputs(SessionObject session, nint dict, bool mayCopy)
    {
        if (!Py.IsDict(dict)) throw new ArgumentTypeException($"inputs must be a dict of arrays by name, found {Py.TypeName(dict)}");
        var values = new RuntimeValue[session.InputNames.Length];
        var found = 0;
        try
        {
            for (; found < values.Length; found++)
            {
                var o = PyApi.DictGet(dict, session.InputNames[found]);
                var info = session.InputInfos[found];
                if (o == 0)
                {
                    if (PyApi.ErrOccurred() != 0) throw new PythonErrorException();
                    throw new InvalidInputException($"input '{info.Name}' is missing; it should be {info.Type}");
                }
                values[found] = Borrowing.Value(o, info.Type, $"input '{info.Name}'", mayCopy, ref session.Copies);
            }
            if (PyApi.DictSize(dict) != values.Length) RefuseUnknown(dict, session.InputInfos, "input");
            return values;
        }
        catch
        {
            foreach (var value in values.AsSpan(0, found)) value.Dispose();
            throw;
        }
    }

    /// <summary>A tensor over the caller's memory for each output that he gives some for, null for the others.</summary>
    public static RuntimeValue?[] Outputs(SessionObject session, nint dict, RuntimeValue[] inputs)
    {
        var values = new RuntimeValue?[session.OutputNames.Length];
        if (Py.IsNone(dict)) return values;
        if (!Py.IsDict(dict)) throw new ArgumentTypeException($"out must be a dict of arrays by name, found {Py.TypeName(dict)}");
        nint found = 0;
        try
        {
            for (var i = 0; i < values.Length; i++)
            {
                var o = PyApi.DictGet(dict, session.OutputNames[i]);
                if (o == 0) continue;
                found++;
                var name = session.OutputInfos[i].Name;
                var tensor = Buffer(o, name);
                values[i] = tensor;
                RefuseOverlap(tensor, name, inputs, values.AsSpan(0, i));
            }
            if (PyApi.DictSize(dict) != found) RefuseUnknown(dict, session.OutputInfos, "output");
            return values;
        }
        catch
        {
            foreach (var value in values) value?.Dispose();
            throw;
        }
    }

    private static Tensor Buffer(nint o, string name)
    {
        if (PyTensor.Type.Is(o))
        {
            var own = PyTensor.Object(o);
            return own.IsReadOnly ? throw new BufferException($"the buffer for output '{name}' is read-only") : own.Tensor.Share();
        }
        if (PyApi.CheckBuffer(o) == 0) return DLPack.Import(o);
        var (tensor, isReadOnly, _) = Borrowing.FromBuffer(o);
        if (!isReadOnly) return tensor;
        tensor.Dispose();
        throw new BufferException($"the buffer for output '{name}' is read-only");
    }

    private static void RefuseOverlap(Tensor tensor, string name, RuntimeValue[] inputs, ReadOnlySpan<RuntimeValue?> others)
    {
        foreach (var input in inputs)
            if (input is Tensor t && Overlap(t, tensor)) throw new InvalidInputException($"the buffer for output '{name}' overlaps an input, which the run still reads");
        foreach (var other in others)
            if (other is Tensor t && Overlap(t, tensor)) throw new InvalidInputException($"the buffer for output '{name}' overlaps that of another output");
    }

    private static bool Overlap(Tensor a, Tensor b) => a.Pointer < b.Pointer + b.ByteLength && b.Pointer < a.Pointer + a.ByteLength;

    private static void RefuseUnknown(nint dict, IReadOnlyList<ValueInfo> known, string what)
    {
        foreach (var (key, _) in Py.Entries(dict))
        {
            var name = Py.ToText(key);
            if (known.All(v => v.Name != name))
                throw new InvalidInputException($"the model has no {what} '{name}'; it has {string.Join(", ", known.Select(v => $"'{v.Name}'"))}");
        }
    }
}
