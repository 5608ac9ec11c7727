using AiOptix.Tensors;

namespace AiOptix.Runtime;

/// <summary>Output memory that is used again once its last holder lets go. Bounded; what does not fit is freed.</summary>
internal sealed class BufferPool
{
    private const int MaxKept = 16;

    private readonly List<MemoryBlock> free = [];

    // Keeps lent memory reachable: when a caller forgets a tensor, its finalizer brings the block back, and the block's own must not have freed it before.
    private readonly HashSet<MemoryBlock> lent = [];
    private bool closed;

    /// <summary>An owned tensor whose memory comes back here.</summary>
    public Tensor Rent(DType type, Shape shape)
    {
        if (type == DType.String) return Tensor.Allocate(type, shape);
        var bytes = type.ByteLength(shape.Count);
        var block = Take(bytes) ?? MemoryBlock.Allocate(bytes);
        lock (free) lent.Add(block);
        unsafe
        {
            return Tensor.Borrow(block.Pointer, type, shape, () => Return(block));
        }
    }

    /// <summary>Frees what lies here; what is still lent is freed when it comes back.</summary>
    public void Close()
    {
        lock (free)
        {
            closed = true;
            foreach (var b in free) b.LetGo();
            free.Clear();
        }
    }

    private MemoryBlock? Take(long bytes)
    {
        lock (free)
        {
            for (var i = free.Count - 1; i >= 0; i--)
            {
                if (free[i].Length != bytes) continue;
                var b = free[i];
                free.RemoveAt(i);
                return b;
            }
            return null;
        }
    }

    private void Return(MemoryBlock block)
    {
        lock (free)
        {
            lent.Remove(block);
            if (!closed && free.Count < MaxKept)
            {
                free.Add(block);
                return;
            }
        }
        block.LetGo();
    }
}
