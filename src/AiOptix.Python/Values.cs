using AiOptix.Tensors;

namespace AiOptix.Python;

/// <summary>Values of C# as Python objects; they are taken over, and results are new references.</summary>
internal static class Values
{
    /// <summary>A value: tensors through the public layer's <c>wrap</c>, lists, dicts, None.</summary>
    public static nint ToPython(RuntimeValue value) => value switch
    {
        Tensor t => Wrap(t),
        SequenceValue s => Py.List([.. s.Items.Select(ToPython)]),
        OptionalValue o => o.Content is { } content ? ToPython(content) : Py.None(),
        MapValue m => Map(m),
        _ => throw new NotSupportedException($"{value.GetType().Name} has no form in Python"),
    };

    /// <summary>A dict of values by name.</summary>
    public static nint Dict(IEnumerable<(string Name, RuntimeValue Value)> values)
    {
        unsafe
        {
            var dict = Errors.Check(PyApi.DictNew());
            foreach (var (name, value) in values) Set(dict, Py.Text(name), ToPython(value));
            return dict;
        }
    }

    /// <summary>Puts an entry into a dict; both are taken over.</summary>
    public static unsafe void Set(nint dict, nint key, nint value)
    {
        var status = PyApi.DictSet(dict, key, value);
        PyApi.DecRef(key);
        PyApi.DecRef(value);
        Errors.Check(status);
    }

    private static unsafe nint Wrap(Tensor tensor)
    {
        var lent = PyTensor.New(tensor);
        if (NativeModule.Wrap == 0) return lent;
        try
        {
            return Py.Call(NativeModule.Wrap, lent);
        }
        finally
        {
            PyApi.DecRef(lent);
        }
    }

    private static unsafe nint Map(MapValue map)
    {
        var dict = Errors.Check(PyApi.DictNew());
        for (var i = 0; i < map.Keys.Count; i++) Set(dict, Element(map.Keys, i), Element(map.Values, i));
        map.Dispose();
        return dict;
    }

    private static nint Element(Tensor tensor, int i)
    {
        unsafe
        {
            return tensor.DType switch
            {
                DType.String => Py.Text(tensor.Strings[i]),
                DType.Int64 => Py.Integer(((long*)tensor.Pointer)[i]),
                DType.Int32 => Py.Integer(((int*)tensor.Pointer)[i]),
                DType.Float32 => Errors.Check(PyApi.FloatFrom(((float*)tensor.Pointer)[i])),
                DType.Float64 => Errors.Check(PyApi.FloatFrom(((double*)tensor.Pointer)[i])),
                var other => throw new NotSupportedException($"maps of {other.Name()} have no form in Python"),
            };
        }
    }
}
