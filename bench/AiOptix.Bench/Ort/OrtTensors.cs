using System.Runtime.InteropServices;
using System.Text;
using AiOptix.Tensors;
using static AiOptix.Bench.Ort.OrtApi;

namespace AiOptix.Bench.Ort;

/// <summary>Tensors as ONNX Runtime's values, and back.</summary>
internal static unsafe class OrtTensors
{
    /// <summary>A value over the tensor's memory, which must outlive it; strings are copied. The caller releases it.</summary>
    internal static nint ToValue(Tensor tensor)
    {
        nint value;
        fixed (long* dims = tensor.Shape.Dims)
        {
            if (tensor.DType != DType.String)
            {
                var create = (delegate* unmanaged<nint, void*, nuint, long*, nuint, int, nint*, nint>)Function(Entry.CreateTensorWithDataAsOrtValue);
                Check(create(CpuMemory, tensor.Pointer, (nuint)tensor.ByteLength, dims, (nuint)tensor.Shape.Rank, OrtValueInfo.NumberOf(tensor.DType), &value), Entry.CreateTensorWithDataAsOrtValue);
                return value;
            }
            var createStrings = (delegate* unmanaged<nint, long*, nuint, int, nint*, nint>)Function(Entry.CreateTensorAsOrtValue);
            Check(createStrings(Allocator, dims, (nuint)tensor.Shape.Rank, OrtValueInfo.NumberOf(DType.String), &value), Entry.CreateTensorAsOrtValue);
        }
        var texts = tensor.Strings.Select(Utf8).ToArray();
        try
        {
            fixed (nint* p = texts) Check(((delegate* unmanaged<nint, nint*, nuint, nint>)Function(Entry.FillStringTensor))(value, p, (nuint)texts.Length), Entry.FillStringTensor);
        }
        catch (OrtException)
        {
            Release(Entry.ReleaseValue, value);
            throw;
        }
        finally
        {
            foreach (var text in texts) Marshal.FreeCoTaskMem(text);
        }
        return value;
    }

    /// <summary>An owned copy of a value.</summary>
    /// <exception cref="UnsupportedModelException">The value is not a tensor.</exception>
    internal static Tensor ToTensor(nint value, string name)
    {
        var kind = value == 0 ? OrtKind.Unknown : (OrtKind)GetInt(Entry.GetValueType, value);
        if (kind != OrtKind.Tensor) throw NotATensor(name, kind);
        var info = Get(Entry.GetTensorTypeAndShape, value);
        DType type;
        Shape shape;
        try
        {
            type = OrtValueInfo.DTypeOf(info);
            shape = new(OrtValueInfo.DimsOf(info));
        }
        finally
        {
            Release(Entry.ReleaseTensorTypeAndShapeInfo, info);
        }
        if (type == DType.String) return Tensor.FromStrings(Strings(value, (int)shape.Count), shape);
        var tensor = Tensor.Allocate(type, shape);
        if (tensor.ByteLength > 0) NativeMemory.Copy((void*)Get(Entry.GetTensorMutableData, value), tensor.Pointer, (nuint)tensor.ByteLength);
        return tensor;
    }

    /// <summary>The error for an output that cannot be compared.</summary>
    internal static UnsupportedModelException NotATensor(string name, OrtKind kind) =>
        new($"output '{name}' of ONNX Runtime is a {kind}, not a tensor; only tensors can be read and compared (for a ZipMap, use the model without it)");

    private static string[] Strings(nint value, int count)
    {
        var bytes = new byte[(int)Get(Entry.GetStringTensorDataLength, value)];
        var starts = new nuint[count + 1];
        fixed (byte* p = bytes)
        fixed (nuint* s = starts)
        {
            byte none;
            var content = (delegate* unmanaged<nint, byte*, nuint, nuint*, nuint, nint>)Function(Entry.GetStringTensorContent);
            Check(content(value, p == null ? &none : p, (nuint)bytes.Length, s, (nuint)count), Entry.GetStringTensorContent);
        }
        starts[count] = (nuint)bytes.Length;
        var texts = new string[count];
        for (var i = 0; i < count; i++) texts[i] = Encoding.UTF8.GetString(bytes, (int)starts[i], (int)(starts[i + 1] - starts[i]));
        return texts;
    }
}
