using AiOptix.Tensors;

namespace AiOptix.Bench.Compare;

/// <summary>Inputs on their way to a child process.</summary>
internal static class InputFile
{
    internal static void Write(string path, IReadOnlyDictionary<string, Tensor> inputs)
    {
        using var file = new BinaryWriter(File.Create(path));
        file.Write(inputs.Count);
        foreach (var (name, t) in inputs)
        {
            file.Write(name);
            file.Write((int)t.DType);
            file.Write(t.Shape.Rank);
            foreach (var d in t.Shape.Dims) file.Write(d);
            if (t.DType == DType.String)
                foreach (var text in t.Strings) file.Write(text);
            else file.Write(t.Bytes);
        }
    }

    internal static IReadOnlyDictionary<string, Tensor> Read(string path)
    {
        using var file = new BinaryReader(File.OpenRead(path));
        var inputs = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        for (var n = file.ReadInt32(); n > 0; n--)
        {
            var name = file.ReadString();
            var type = (DType)file.ReadInt32();
            var dims = new long[file.ReadInt32()];
            for (var i = 0; i < dims.Length; i++) dims[i] = file.ReadInt64();
            var t = Tensor.Allocate(type, new Shape(dims));
            if (type == DType.String)
                for (var i = 0; i < t.Strings.Length; i++) t.Strings[i] = file.ReadString();
            else file.BaseStream.ReadExactly(t.Bytes);
            inputs[name] = t;
        }
        return inputs;
    }
}
