using System.Runtime.InteropServices;

namespace AiOptix.Tensors;

/// <summary>
/// A dense row-major array of one element type. Its memory is owned, borrowed or mapped (<see cref="MemoryBlock"/>); views share it.
/// A span does not keep its tensor alive: whoever takes a span of a temporary tensor ends with <c>GC.KeepAlive(tensor)</c>.
/// Strings are held as managed strings. Elements of 4 and 2 bits are packed as in ONNX, lowest bits first.
/// </summary>
public sealed unsafe class Tensor : RuntimeValue
{
    private readonly MemoryBlock? block;
    private readonly string[]? strings;
    private readonly byte* pointer;
    private int disposed;
    private volatile string? absent;

    private Tensor(DType type, Shape shape, MemoryBlock? block, byte* pointer, string[]? strings)
    {
        DType = type;
        Shape = shape;
        Count = shape.Count;
        ByteLength = type == DType.String ? 0 : type.ByteLength(Count);
        this.block = block;
        this.pointer = pointer;
        this.strings = strings;
    }

    /// <summary>The element type.</summary>
    public DType DType { get; }

    /// <summary>The extents.</summary>
    public Shape Shape { get; }

    /// <summary>How many elements.</summary>
    public long Count { get; }

    /// <summary>Bytes of element data; 0 for strings.</summary>
    public long ByteLength { get; }

    /// <summary>The first byte of the data; null for strings. Not aligned unless the tensor owns its memory.</summary>
    /// <exception cref="AbsentElementsException">The elements are not there.</exception>
    public byte* Pointer => absent is { } name ? throw new AbsentElementsException(this, name) : pointer;

    /// <summary>True when only type and shape are there: the elements live on in some other form, and asking for them is an error.</summary>
    public bool IsAbsent => absent is not null;

    /// <summary>Allocates an owned tensor.</summary>
    /// <exception cref="LimitExceededException">Too large for the machine.</exception>
    public static Tensor Allocate(DType type, Shape shape, bool zeroed = false)
    {
        if (type == DType.Undefined) throw new ArgumentException("a tensor needs an element type", nameof(type));
        if (type == DType.String)
        {
            var s = new string[checked((int)shape.Count)];
            Array.Fill(s, "");
            return new(type, shape, null, null, s);
        }
        var block = MemoryBlock.Allocate(type.ByteLength(shape.Count), zeroed);
        return new(type, shape, block, block.Pointer, null);
    }

    /// <summary>A tensor of which only type and shape are there.</summary>
    /// <param name="type">The element type; not strings.</param>
    /// <param name="shape">The extents.</param>
    /// <param name="name">What errors call it.</param>
    public static Tensor WithoutElements(DType type, Shape shape, string name) => type is DType.String or DType.Undefined
        ? throw new ArgumentException($"{type.Name()} has no raw form", nameof(type))
        : new(type, shape, null, null, null) { absent = name };

    /// <summary>A tensor over memory that a block holds, from <paramref name="offset"/> bytes on. The tensor becomes a further holder.</summary>
    public static Tensor Over(MemoryBlock block, long offset, DType type, Shape shape)
    {
        var bytes = type.ByteLength(shape.Count);
        if (type is DType.String or DType.Undefined) throw new ArgumentException($"{type.Name()} has no raw form", nameof(type));
        if (offset < 0 || bytes > block.Length - offset)
            throw new ModelFormatException($"a {type.Name()} tensor {shape} needs {bytes} bytes at offset {offset}, but only {Math.Max(0, block.Length - offset)} are there");
        return new(type, shape, block.Hold(), block.Pointer + offset, null);
    }

    /// <summary>A tensor over memory of somebody else, for as long as they keep it; <paramref name="release"/> runs when nobody uses it any more.</summary>
    public static Tensor Borrow(void* pointer, DType type, Shape shape, Action? release = null)
    {
        var block = MemoryBlock.Borrow(pointer, type.ByteLength(shape.Count), release);
        return new(type, shape, block, block.Pointer, null);
    }

    /// <summary>Copies elements into a new owned tensor.</summary>
    public static Tensor From<T>(ReadOnlySpan<T> data, Shape shape) where T : unmanaged
    {
        if (data.Length != shape.Count) throw new ArgumentException($"{data.Length} elements do not fill shape {shape}", nameof(data));
        var t = Allocate(DTypes.Of<T>(), shape);
        data.CopyTo(t.Span<T>());
        return t;
    }

    /// <summary>A vector (rank 1) of the elements.</summary>
    public static Tensor Vector<T>(params ReadOnlySpan<T> data) where T : unmanaged => From(data, new Shape(data.Length));

    /// <summary>A scalar (rank 0).</summary>
    public static Tensor Scalar<T>(T value) where T : unmanaged => From([value], Shape.Scalar);

    /// <summary>A tensor of strings, which are taken over.</summary>
    public static Tensor FromStrings(string[] data, Shape shape)
    {
        if (data.Length != shape.Count) throw new ArgumentException($"{data.Length} strings do not fill shape {shape}", nameof(data));
        return new(DType.String, shape, null, null, data);
    }

    /// <summary>The elements in place. The C# type must be as wide as the element type; bool, narrow floats and packed types read as bytes.</summary>
    /// <exception cref="ArgumentException">The type does not fit.</exception>
    /// <exception cref="LimitExceededException">Over 2^31 elements.</exception>
    public Span<T> Span<T>() where T : unmanaged
    {
        if (DType == DType.String) throw new ArgumentException("strings have no raw form; use Strings");
        var raw = typeof(T) == typeof(byte) && (DType.Bits() <= 8);
        if (!raw && DTypes.Of<T>() != DType) throw new ArgumentException($"the tensor holds {DType.Name()}, not {DTypes.Of<T>().Name()}");
        var n = raw ? ByteLength : Count;
        if (n > int.MaxValue) throw new LimitExceededException($"a span cannot hold {n} elements");
        return new(Pointer, (int)n);
    }

    /// <summary>The data as bytes.</summary>
    /// <exception cref="LimitExceededException">Over 2^31 bytes.</exception>
    public Span<byte> Bytes => ByteLength > int.MaxValue ? throw new LimitExceededException($"a span cannot hold {ByteLength} bytes") : new(Pointer, (int)ByteLength);

    /// <summary>Some of the data as bytes; for tensors that one span cannot hold.</summary>
    /// <exception cref="ArgumentOutOfRangeException">They do not lie inside.</exception>
    public Span<byte> BytesAt(long offset, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, ByteLength - count);
        return new(Pointer + offset, count);
    }

    /// <summary>The strings.</summary>
    /// <exception cref="ArgumentException">Not a string tensor.</exception>
    public string[] Strings => strings ?? throw new ArgumentException($"the tensor holds {DType.Name()}, not strings");

    /// <summary>The same data under another shape with as many elements; memory is shared.</summary>
    public Tensor Reshape(Shape shape)
    {
        if (shape.Count != Count) throw new ArgumentException($"{Shape} has {Count} elements and cannot become {shape}", nameof(shape));
        return absent is { } name ? WithoutElements(DType, shape, name) : new(DType, shape, block?.Hold(), pointer, strings);
    }

    /// <summary>Neighbouring elements under a shape of their own, such as some rows; memory is shared.</summary>
    /// <param name="first">The first element, counted in row-major order.</param>
    /// <param name="shape">The shape.</param>
    /// <exception cref="ArgumentOutOfRangeException">They do not lie inside.</exception>
    /// <exception cref="ArgumentException">The elements are strings, or share bytes.</exception>
    public Tensor View(long first, Shape shape)
    {
        if (DType.Bits() < 8) throw new ArgumentException($"elements of {DType.Name()} cannot be viewed in part");
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first, Count - shape.Count);
        return new(DType, shape, block?.Hold(), Pointer + first * (DType.Bits() / 8), null);
    }

    /// <summary>An owned copy.</summary>
    public Tensor Clone()
    {
        if (strings is not null) return FromStrings((string[])strings.Clone(), Shape);
        var t = Allocate(DType, Shape);
        CopyTo(t);
        return t;
    }

    /// <summary>Copies the data into a tensor of the same type and as many elements.</summary>
    public void CopyTo(Tensor destination)
    {
        if (destination.DType != DType || destination.Count != Count)
            throw new ArgumentException($"{DType.Name()} {Shape} cannot be copied into {destination.DType.Name()} {destination.Shape}", nameof(destination));
        if (strings is not null) strings.CopyTo(destination.strings!, 0);
        else NativeMemory.Copy(Pointer, destination.Pointer, (nuint)ByteLength);
    }

    /// <summary>The elements of an integer tensor widened to 64 bits (uint64 wraps); for shapes, axes, indices.</summary>
    /// <exception cref="ArgumentException">Not an integer tensor.</exception>
    public long[] ToInt64()
    {
        var r = new long[Count];
        var pointer = Pointer;
        for (var i = 0; i < r.Length; i++)
            r[i] = DType switch
            {
                DType.Int64 => ((long*)pointer)[i],
                DType.Int32 => ((int*)pointer)[i],
                DType.Int16 => ((short*)pointer)[i],
                DType.Int8 => ((sbyte*)pointer)[i],
                DType.UInt64 => (long)((ulong*)pointer)[i],
                DType.UInt32 => ((uint*)pointer)[i],
                DType.UInt16 => ((ushort*)pointer)[i],
                DType.UInt8 or DType.Bool => pointer[i],
                _ => throw new ArgumentException($"expected integers, found {DType.Name()}"),
            };
        return r;
    }

    /// <summary>Same type, shape and bits.</summary>
    public bool BitEquals(Tensor other)
    {
        if (DType != other.DType || Shape != other.Shape) return false;
        if (strings is not null) return strings.AsSpan().SequenceEqual(other.strings);
        for (long at = 0; at < ByteLength; at += 1 << 30)
        {
            var n = (int)Math.Min(1 << 30, ByteLength - at);
            if (!new ReadOnlySpan<byte>(Pointer + at, n).SequenceEqual(new ReadOnlySpan<byte>(other.Pointer + at, n))) return false;
        }
        return true;
    }

    /// <summary>Has mapped pages of the data leave memory until they are touched again.</summary>
    public void Evict() => block?.Evict(pointer, ByteLength);

    /// <summary>Lets go of the memory but not of type and shape: from now on the tensor <see cref="IsAbsent"/>.</summary>
    public void DropElements()
    {
        absent = "";
        Dispose();
    }

    /// <inheritdoc/>
    public override Tensor Share() => Reshape(Shape);

    /// <summary>Lets go of the memory. A second call does nothing.</summary>
    public override void Dispose()
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0) return;
        block?.LetGo();
        GC.SuppressFinalize(this);
    }

    /// <summary>Lets go of memory that was not disposed of.</summary>
    ~Tensor()
    {
        if (Interlocked.Exchange(ref disposed, 1) == 0) block?.LetGo();
    }

    /// <summary><c>float32[1,3,224,224]</c></summary>
    public override string ToString() => DType.Name() + Shape;
}
