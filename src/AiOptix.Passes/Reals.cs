using AiOptix.Tensors;

namespace AiOptix.Passes;

/// <summary>Constants as float64, and back with one rounding: how passes calculate with weights.</summary>
internal static class Reals
{
    /// <summary>True for the types that <see cref="Read"/> reads.</summary>
    public static bool CanRead(DType type) =>
        type is DType.Float32 or DType.Float64 or DType.Float16 or DType.BFloat16 || (type.IsInteger() && !type.IsPacked() && type != DType.UInt64);

    /// <summary>True for the types that <see cref="Write"/> makes.</summary>
    public static bool CanWrite(DType type) => type is DType.Float32 or DType.Float64 or DType.Float16 or DType.BFloat16;

    /// <summary>The elements.</summary>
    public static double[] Read(Tensor tensor)
    {
        var r = new double[checked((int)tensor.Count)];
        switch (tensor.DType)
        {
            case DType.Float32:
                var f = tensor.Span<float>();
                for (var i = 0; i < r.Length; i++) r[i] = f[i];
                break;
            case DType.Float64:
                tensor.Span<double>().CopyTo(r);
                break;
            case DType.Float16:
                var h = tensor.Span<Half>();
                for (var i = 0; i < r.Length; i++) r[i] = (double)h[i];
                break;
            case DType.BFloat16:
                var b = tensor.Span<BFloat16>();
                for (var i = 0; i < r.Length; i++) r[i] = (float)b[i];
                break;
            default:
                var n = tensor.ToInt64();
                for (var i = 0; i < r.Length; i++) r[i] = n[i];
                break;
        }
        GC.KeepAlive(tensor);
        return r;
    }

    /// <summary>A tensor of the rounded elements.</summary>
    public static Tensor Write(ReadOnlySpan<double> values, DType type, Shape shape)
    {
        var t = Tensor.Allocate(type, shape);
        switch (type)
        {
            case DType.Float32:
                var f = t.Span<float>();
                for (var i = 0; i < values.Length; i++) f[i] = (float)values[i];
                break;
            case DType.Float64:
                values.CopyTo(t.Span<double>());
                break;
            case DType.Float16:
                var h = t.Span<Half>();
                for (var i = 0; i < values.Length; i++) h[i] = (Half)values[i];
                break;
            case DType.BFloat16:
                var b = t.Span<BFloat16>();
                for (var i = 0; i < values.Length; i++) b[i] = (BFloat16)(float)values[i];
                break;
            default:
                throw new ArgumentException($"expected a floating-point type, found {type.Name()}", nameof(type));
        }
        return t;
    }

    /// <summary>How far, relatively, a constant of a type may be from the number it stands for.</summary>
    public static double Tolerance(DType type) => type switch
    {
        DType.Float16 => 1e-3,
        DType.BFloat16 => 8e-3,
        _ => 1e-6,
    };
}
