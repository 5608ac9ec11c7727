
namespace AiOptix.Tensors;

/// <summary>
/// Memory of results and batches that is used again once its last holder lets go: memory fresh from the system costs a page fault every 4 KiB. Blocks come in an eighth of a power of two, so
/// that outputs which grow from run to run, like a decoder's cache, find one too. Bounded; what lay longest is freed.
/// </summary>
/// <param name="most">How many blocks are kept.</param>
public sealed class BufferPool(int most)
{
    private readonly List<MemoryBlock> free = [];

    // Keeps lent memory reachable: when a caller forgets a tensor, its finalizer brings the block back, and the block's own must not have freed it before.
    private readonly HashSet<MemoryBlock> lent = [];
    private bool closed;

    /// <summary>An owned tensor whose memory comes back here.</summary>
    public Tensor Rent(DType type, Shape shape)
    {
        if (type == DType.String) return Tensor.Allocate(type, shape);
        var bytes = Rounded(type.ByteLength(shape.Count));
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

    /// <summary>Up to the next of eight steps between powers of two.</summary>
    private static long Rounded(long bytes)
    {
        if (bytes <= 64) return 64;
        // A loop: what counts leading zeros is left to the JIT, and this is on the way of a first run.
        long step = 64;
        while (step <= bytes >> 4) step *= 2;
        return bytes > long.MaxValue - step ? bytes : (bytes + step - 1) & -step;
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
        MemoryBlock? dropped = null;
        lock (free)
        {
            lent.Remove(block);
            if (closed) dropped = block;
            else
            {
                if (free.Count >= most)
                {
                    dropped = free[0];
                    free.RemoveAt(0);
                }
                free.Add(block);
            }
        }
        dropped?.LetGo();
    }
}
