using System.Globalization;

namespace AiOptix.Tensors;

/// <summary>The upper 16 bits of a binary32; conversions round to nearest even and keep NaN.</summary>
public readonly struct BFloat16 : IEquatable<BFloat16>
{
    private readonly ushort bits;

    private BFloat16(ushort bits) => this.bits = bits;

    /// <summary>The value whose bit pattern is <paramref name="bits"/>.</summary>
    public static BFloat16 FromBits(ushort bits) => new(bits);

    /// <summary>The bit pattern.</summary>
    public ushort Bits => bits;

    /// <summary>Rounds to nearest even.</summary>
    public static explicit operator BFloat16(float value)
    {
        var b = BitConverter.SingleToUInt32Bits(value);
        if (float.IsNaN(value)) return new((ushort)((b >> 16) | 0x40));
        return new((ushort)((b + 0x7FFF + ((b >> 16) & 1)) >> 16));
    }

    /// <summary>Exact.</summary>
    public static implicit operator float(BFloat16 value) => BitConverter.UInt32BitsToSingle((uint)value.bits << 16);

    /// <inheritdoc/>
    public bool Equals(BFloat16 other) => ((float)this).Equals(other);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is BFloat16 other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => ((float)this).GetHashCode();

    /// <summary>Numeric equality.</summary>
    public static bool operator ==(BFloat16 left, BFloat16 right) => (float)left == right;

    /// <summary>Numeric inequality.</summary>
    public static bool operator !=(BFloat16 left, BFloat16 right) => (float)left != right;

    /// <inheritdoc/>
    public override string ToString() => ((float)this).ToString(CultureInfo.InvariantCulture);
}
