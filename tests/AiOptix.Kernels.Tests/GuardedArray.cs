namespace AiOptix.Kernels.Tests;

/// <summary>Elements of any type that end exactly at an inaccessible page.</summary>
internal sealed unsafe class GuardedArray<T> : IDisposable where T : unmanaged
{
    private readonly GuardedBuffer buffer;

    public GuardedArray(long length)
    {
        Length = length;
        var bytes = length * sizeof(T);
        buffer = new GuardedBuffer((bytes + 3) / 4);
        Pointer = (T*)((byte*)buffer.Pointer + (buffer.Length * 4 - bytes));
    }

    public GuardedArray(ReadOnlySpan<T> values) : this(values.Length) => values.CopyTo(Span);

    public T* Pointer { get; }

    public byte* Bytes => (byte*)Pointer;

    public long Length { get; }

    public Span<T> Span => new(Pointer, (int)Length);

    public void Dispose() => buffer.Dispose();
}
