using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using AiOptix.Kernels.Loops;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Copy;

/// <summary>What lies around a tensor that is padded with its own elements.</summary>
public enum BorderMode
{
    /// <summary>The mirror image, the edge itself not repeated.</summary>
    Reflect,
    /// <summary>The edge.</summary>
    Edge,
    /// <summary>The other end.</summary>
    Wrap,
}

/// <summary>The contract of padding with own elements: a dense tensor to a dense, larger one. Negative pads crop before anything is repeated.</summary>
/// <param name="ElementSize">Bytes of an element: 1, 2, 4 or 8.</param>
/// <param name="Dims">The extents.</param>
/// <param name="Begin">Positions before each axis.</param>
/// <param name="End">Positions behind each axis.</param>
/// <param name="Mode">What they show.</param>
public sealed record BorderDescriptor(int ElementSize, long[] Dims, long[] Begin, long[] End, BorderMode Mode);

/// <summary>Padding with own elements, made ready: rows are copied whole, their ends position by position through a map of each axis. Immutable.</summary>
public sealed unsafe class BorderPlan
{
    private readonly int size;
    private readonly long[][] maps;
    private readonly long[] strides;
    private readonly long[] results;
    private readonly int before;
    private readonly int kept;
    private readonly Split split;

    /// <summary>Plans the operation.</summary>
    /// <exception cref="InvalidInputException">Pads crop more than there is, or there is nothing to repeat.</exception>
    public BorderPlan(BorderDescriptor descriptor)
    {
        size = descriptor.ElementSize;
        var rank = descriptor.Dims.Length;
        maps = new long[rank][];
        strides = new long[rank];
        results = new long[rank];
        long stride = 1;
        for (var a = rank - 1; a >= 0; a--)
        {
            maps[a] = Map(descriptor, a);
            results[a] = maps[a].Length;
            strides[a] = stride;
            stride *= descriptor.Dims[a];
        }
        before = (int)Math.Max(0, descriptor.Begin[^1]);
        kept = (int)Kept(descriptor, rank - 1);
        long rows = 1;
        for (var a = 0; a < rank - 1; a++) rows = checked(rows * results[a]);
        split = new Split(results[^1] == 0 ? 0 : rows, results[^1]);
    }

    /// <summary>Tasks; any cut of them into ranges gives the same bytes.</summary>
    public int Tasks => split.Tasks;

    /// <summary>Scratch bytes a worker needs: none.</summary>
    public long ScratchBytes => 0;

    /// <summary>Runs tasks <paramref name="firstTask"/> up to <paramref name="endTask"/>.</summary>
    [MethodImpl(HotCode.Optimized)]
    public void Run(byte* x, byte* y, int firstTask, int endTask)
    {
        for (long row = split.Start(firstTask), end = split.Start(endTask); row < end; row++)
        {
            long from = 0, rest = row;
            for (var a = maps.Length - 2; a >= 0; a--)
            {
                var outer = rest / results[a];
                from += maps[a][rest - outer * results[a]] * strides[a];
                rest = outer;
            }
            var source = x + from * size;
            var target = y + row * results[^1] * size;
            switch (size)
            {
                case 1: Row(source, target); break;
                case 2: Row((ushort*)source, (ushort*)target); break;
                case 4: Row((uint*)source, (uint*)target); break;
                default: Row((ulong*)source, (ulong*)target); break;
            }
        }
    }

    /// <summary>Runs the code over a few elements, so that it is compiled before a run needs it.</summary>
    public static void Rehearse(int size)
    {
        using var memory = new RehearsalMemory();
        var plan = new BorderPlan(new(size, [2, 3], [1, 1], [1, 1], BorderMode.Edge));
        plan.Run(memory.Bytes(6 * size), memory.Bytes(20 * size), 0, plan.Tasks);
    }

    [MethodImpl(HotCode.Optimized)]
    private void Row<T>(T* source, T* target) where T : unmanaged
    {
        var map = maps[^1];
        for (var i = 0; i < before; i++) target[i] = source[map[i]];
        if (kept > 0) NativeMemory.Copy(source + map[before], target + before, (nuint)kept * (nuint)sizeof(T));
        for (var i = before + kept; i < map.Length; i++) target[i] = source[map[i]];
    }

    private static long Kept(BorderDescriptor d, int axis) => d.Dims[axis] - Math.Max(0, -d.Begin[axis]) - Math.Max(0, -d.End[axis]);

    /// <summary>For every position of the result along an axis the position that it shows.</summary>
    private static long[] Map(BorderDescriptor d, int axis)
    {
        var (begin, end, kept) = (d.Begin[axis], d.End[axis], Kept(d, axis));
        var extent = checked(kept + Math.Max(0, begin) + Math.Max(0, end));
        if (kept < 0 || extent > int.MaxValue) throw new InvalidInputException($"pads {begin} and {end} do not fit an axis of extent {d.Dims[axis]}");
        if (kept == 0 && extent > 0) throw new InvalidInputException($"mode {d.Mode} has nothing to repeat on an axis of extent {d.Dims[axis]}");
        var map = new long[extent];
        for (long i = 0; i < extent; i++)
        {
            var at = i - Math.Max(0, begin);
            if (at < 0 || at >= kept)
                at = d.Mode switch
                {
                    BorderMode.Edge => Math.Clamp(at, 0, kept - 1),
                    BorderMode.Wrap => (at % kept + kept) % kept,
                    _ => Mirror(at, kept),
                };
            map[i] = at + Math.Max(0, -begin);
        }
        return map;
    }

    private static long Mirror(long at, long extent)
    {
        if (extent == 1) return 0;
        var period = 2 * (extent - 1);
        at = (at % period + period) % period;
        return at < extent ? at : period - at;
    }
}
