using System.Runtime.InteropServices;
using AiOptix.Tensors;
using static AiOptix.Bench.Ort.OrtApi;

namespace AiOptix.Bench.Ort;

/// <summary>What kind of value an input or output is (<c>ONNXType</c>).</summary>
internal enum OrtKind
{
    Unknown,
    Tensor,
    Sequence,
    Map,
    Opaque,
    SparseTensor,
    Optional,
}

/// <summary>An input or output of a model.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kind">Whether it is a tensor at all.</param>
/// <param name="DType">The element type; undefined unless it is a tensor.</param>
/// <param name="Dims">Extents, -1 where the model leaves them open; empty for a scalar, for a tensor whose rank the model does not give, and for what is no tensor.</param>
/// <param name="Symbols">The name of each open extent, or "".</param>
internal sealed unsafe record OrtValueInfo(string Name, OrtKind Kind, DType DType, long[] Dims, string[] Symbols)
{
    /// <summary><c>image float32[batch,1,8,8]</c></summary>
    public override string ToString() => Kind == OrtKind.Tensor
        ? $"{Name} {DType.Name()}[{string.Join(",", Dims.Zip(Symbols, (d, s) => d >= 0 ? $"{d}" : s.Length > 0 ? s : "?"))}]"
        : $"{Name} {Kind}";

    /// <summary>Describes all inputs, or all outputs, of a session.</summary>
    internal static OrtValueInfo[] AllOf(nint session, Entry count, Entry name, Entry typeInfo)
    {
        var infos = new OrtValueInfo[(int)Get(count, session)];
        for (var i = 0; i < infos.Length; i++)
        {
            nint text;
            Check(((delegate* unmanaged<nint, nuint, nint, nint*, nint>)Function(name))(session, (nuint)i, Allocator, &text), name);
            var label = Marshal.PtrToStringUTF8(text) ?? "";
            Check(((delegate* unmanaged<nint, nint, nint>)Function(Entry.AllocatorFree))(Allocator, text), Entry.AllocatorFree);
            nint type;
            Check(((delegate* unmanaged<nint, nuint, nint*, nint>)Function(typeInfo))(session, (nuint)i, &type), typeInfo);
            try
            {
                infos[i] = Of(label, type);
            }
            finally
            {
                Release(Entry.ReleaseTypeInfo, type);
            }
        }
        return infos;
    }

    /// <summary>The extents that a tensor description holds.</summary>
    internal static long[] DimsOf(nint tensorInfo)
    {
        var dims = new long[(int)Get(Entry.GetDimensionsCount, tensorInfo)];
        fixed (long* p = dims) Check(((delegate* unmanaged<nint, long*, nuint, nint>)Function(Entry.GetDimensions))(tensorInfo, p, (nuint)dims.Length), Entry.GetDimensions);
        return dims;
    }

    /// <summary>The element type that a tensor description holds.</summary>
    internal static DType DTypeOf(nint tensorInfo)
    {
        var number = GetInt(Entry.GetTensorElementType, tensorInfo);
        foreach (var type in Enum.GetValues<DType>())
            if (type != DType.Undefined && NumberOf(type) == number) return type;
        throw new UnsupportedModelException($"ONNX Runtime's element type {number} has no counterpart");
    }

    /// <summary>ONNX Runtime's number for an element type: that of ONNX, but for the three latest.</summary>
    internal static int NumberOf(DType type) => type switch
    {
        DType.UInt2 => 24,
        DType.Int2 => 25,
        DType.Float8E8M0 => 26,
        _ => (int)type,
    };

    private static OrtValueInfo Of(string name, nint type)
    {
        var kind = (OrtKind)GetInt(Entry.GetOnnxTypeFromTypeInfo, type);
        if (kind != OrtKind.Tensor) return new(name, kind, DType.Undefined, [], []);
        var info = Get(Entry.CastTypeInfoToTensorInfo, type);
        var dims = DimsOf(info);
        var names = new nint[dims.Length];
        fixed (nint* p = names) Check(((delegate* unmanaged<nint, nint*, nuint, nint>)Function(Entry.GetSymbolicDimensions))(info, p, (nuint)names.Length), Entry.GetSymbolicDimensions);
        return new(name, kind, DTypeOf(info), dims, [.. names.Select(n => Marshal.PtrToStringUTF8(n) ?? "")]);
    }
}
