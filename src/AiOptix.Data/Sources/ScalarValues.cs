using System.Globalization;
using System.Text.Json;
using AiOptix.Tensors;

namespace AiOptix.Data;

/// <summary>A tensor that is filled with numbers and texts, one by one, each held to the element type.</summary>
internal abstract class ScalarValues(Tensor tensor)
{
    public Tensor Tensor { get; } = tensor;

    public static bool CanHold(DType type) => type is DType.Float32 or DType.Float64 or DType.Bool or DType.String or DType.Int8 or DType.Int16 or DType.Int32 or DType.Int64
        or DType.UInt8 or DType.UInt16 or DType.UInt32 or DType.UInt64;

    public static ScalarValues Create(DType type, Shape shape) => type switch
    {
        DType.Float32 => new Numbers<float>(type, shape),
        DType.Float64 => new Numbers<double>(type, shape),
        DType.Int8 => new Numbers<sbyte>(type, shape),
        DType.Int16 => new Numbers<short>(type, shape),
        DType.Int32 => new Numbers<int>(type, shape),
        DType.Int64 => new Numbers<long>(type, shape),
        DType.UInt8 => new Numbers<byte>(type, shape),
        DType.UInt16 => new Numbers<ushort>(type, shape),
        DType.UInt32 => new Numbers<uint>(type, shape),
        DType.UInt64 => new Numbers<ulong>(type, shape),
        DType.Bool => new Truths(shape),
        _ => new Texts(shape),
    };

    /// <summary>Puts a value from text.</summary>
    /// <exception cref="InvalidInputException">It is none of the type.</exception>
    public abstract void Put(long at, ReadOnlySpan<char> text);

    /// <summary>Puts a value from JSON.</summary>
    /// <exception cref="InvalidInputException">It is none of the type.</exception>
    public virtual void Put(long at, JsonElement value) => Put(at, value.ValueKind == JsonValueKind.Number ? value.GetRawText() : throw Wrong(value.GetRawText()));

    private protected InvalidInputException Wrong(ReadOnlySpan<char> text) =>
        new($"{(text.IsEmpty ? "an empty value" : $"'{(text.Length > 40 ? string.Concat(text[..40], "…") : text)}'")} is no {Tensor.DType.Name()}");

    private sealed class Numbers<T>(DType type, Shape shape) : ScalarValues(Tensor.Allocate(type, shape)) where T : unmanaged, ISpanParsable<T>, System.Numerics.INumber<T>
    {
        private static readonly NumberStyles styles = typeof(T) == typeof(float) || typeof(T) == typeof(double) ? NumberStyles.Float : NumberStyles.AllowLeadingSign;

        public override void Put(long at, ReadOnlySpan<char> text)
        {
            if (!T.TryParse(text.Trim(), styles, CultureInfo.InvariantCulture, out var value)) throw Wrong(text);
            Tensor.Span<T>()[(int)at] = value;
        }
    }

    private sealed class Truths(Shape shape) : ScalarValues(Tensor.Allocate(DType.Bool, shape))
    {
        public override void Put(long at, ReadOnlySpan<char> text) => Tensor.Bytes[(int)at] = text.Trim() switch
        {
            "1" => 1,
            "0" => 0,
            var t when t.Equals("true", StringComparison.OrdinalIgnoreCase) => 1,
            var t when t.Equals("false", StringComparison.OrdinalIgnoreCase) => 0,
            _ => throw Wrong(text),
        };

        public override void Put(long at, JsonElement value) => Put(at, value.GetRawText());
    }

    private sealed class Texts(Shape shape) : ScalarValues(Tensor.Allocate(DType.String, shape))
    {
        public override void Put(long at, ReadOnlySpan<char> text) => Tensor.Strings[at] = text.ToString();

        public override void Put(long at, JsonElement value) => Tensor.Strings[at] = value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Wrong(value.GetRawText());
    }
}
