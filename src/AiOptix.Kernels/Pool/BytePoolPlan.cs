using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using AiOptix.Kernels.Loops;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Pool;

/// <summary>What a byte pooling kernel needs for one output pixel.</summary>
public unsafe struct BytePixel
{
    /// <summary>The window's first valid input pixel.</summary>
    public byte* X;
    /// <summary>The output pixel.</summary>
    public byte* Y;
    /// <summary>Channels.</summary>
    public long Channels;
    /// <summary>Valid window entries along depth, height and width.</summary>
    public long Depths, Heights, Widths;
    /// <summary>Their distances in bytes.</summary>
    public long DepthStride, HeightStride, WidthStride;
    /// <summary>128 where bytes are unsigned: they are compared as signed ones with the highest bit flipped.</summary>
    public byte Flip;
}

/// <summary>A row of <see cref="BytePoolTable"/>: the largest byte of each channel of a window.</summary>
public readonly unsafe struct BytePoolKernel
{
    internal BytePoolKernel(string name, Isa needs, delegate*<BytePixel*, void> run)
    {
        (Name, Needs) = (name, needs);
        Run = run;
    }

    /// <summary>The specification.</summary>
    public readonly string Name;
    /// <summary>Instruction sets it uses.</summary>
    public readonly Isa Needs;
    /// <summary>The code.</summary>
    public readonly delegate*<BytePixel*, void> Run;
}

/// <summary>Max pooling of bytes whose channels lie last, best first, the scalar reference last.</summary>
public static unsafe class BytePoolTable
{
    /// <summary>All rows.</summary>
    public static IReadOnlyList<BytePoolKernel> Rows { get; } =
        [new("pool_max_bytes_avx512", Isa.Avx512, &Wide), new("pool_max_bytes_vector128", Isa.None, &Portable), new("pool_max_bytes_scalar", Isa.None, &Scalar)];

    /// <summary>The first row that the target can run.</summary>
    public static BytePoolKernel Select(Target target) => Rows.First(row => target.Has(row.Needs));

    [MethodImpl(HotCode.Optimized)]
    private static void Wide(BytePixel* p)
    {
        long c = 0;
        for (; c <= p->Channels - 64; c += 64)
        {
            var flip = Vector512.Create(p->Flip);
            var most = Vector512.Create(sbyte.MinValue);
            for (long d = 0; d < p->Depths; d++)
                for (long h = 0; h < p->Heights; h++)
                {
                    var x = p->X + d * p->DepthStride + h * p->HeightStride + c;
                    for (var w = p->Widths; w > 0; w--, x += p->WidthStride) most = Avx512BW.Max(most, Avx512F.Xor(Vector512.Load(x), flip).AsSByte());
                }
            Avx512F.Xor(most.AsByte(), flip).Store(p->Y + c);
        }
        Narrow(p, c);
    }

    private static void Portable(BytePixel* p) => Narrow(p, 0);

    [MethodImpl(HotCode.Optimized)]
    private static void Narrow(BytePixel* p, long c)
    {
        for (; c <= p->Channels - 16; c += 16)
        {
            var flip = Vector128.Create(p->Flip);
            var most = Vector128.Create(sbyte.MinValue);
            for (long d = 0; d < p->Depths; d++)
                for (long h = 0; h < p->Heights; h++)
                {
                    var x = p->X + d * p->DepthStride + h * p->HeightStride + c;
                    for (var w = p->Widths; w > 0; w--, x += p->WidthStride) most = Vector128.Max(most, (Vector128.Load(x) ^ flip).AsSByte());
                }
            (most.AsByte() ^ flip).Store(p->Y + c);
        }
        Rest(p, c);
    }

    private static void Scalar(BytePixel* p) => Rest(p, 0);

    [MethodImpl(HotCode.Optimized)]
    private static void Rest(BytePixel* p, long c)
    {
        for (; c < p->Channels; c++)
        {
            var most = sbyte.MinValue;
            for (long d = 0; d < p->Depths; d++)
                for (long h = 0; h < p->Heights; h++)
                    for (long w = 0; w < p->Widths; w++) most = Math.Max(most, (sbyte)(p->X[d * p->DepthStride + h * p->HeightStride + w * p->WidthStride + c] ^ p->Flip));
            p->Y[c] = (byte)((byte)most ^ p->Flip);
        }
    }
}

/// <summary>Max pooling of bytes whose channels lie last, made ready; a task is a stretch of output lines. Immutable.</summary>
public sealed unsafe class BytePoolPlan
{
    private readonly PoolAxis depth, height, width;
    private readonly long channels, xPitch, yPitch;
    private readonly byte flip;
    private readonly Split split;

    /// <summary>Plans it; pitches count bytes.</summary>
    /// <exception cref="UnsupportedModelException">There are not one to three spatial axes.</exception>
    public BytePoolPlan(PoolDescriptor descriptor, bool isSigned, BytePoolKernel row)
    {
        var rank = descriptor.Input.Length;
        if (rank is < 1 or > 3) throw new UnsupportedModelException($"pooling over {rank} spatial axes; one to three are served");
        Kernel = row;
        (depth, height, width) = (PoolAxis.Of(descriptor, rank - 3), PoolAxis.Of(descriptor, rank - 2), PoolAxis.Of(descriptor, rank - 1));
        channels = descriptor.Channels;
        xPitch = descriptor.XPitch == 0 ? channels : descriptor.XPitch;
        yPitch = descriptor.YPitch == 0 ? channels : descriptor.YPitch;
        flip = isSigned ? (byte)0 : (byte)0x80;
        split = new Split(width.Output * channels == 0 ? 0 : descriptor.Planes * depth.Output * height.Output, Math.Max(1, width.Output * channels * width.Kernel * height.Kernel * depth.Kernel / 16));
    }

    /// <summary>The chosen row.</summary>
    public BytePoolKernel Kernel { get; }

    /// <summary>Tasks; any cut of them into ranges gives the same bytes.</summary>
    public int Tasks => split.Tasks;

    /// <summary>Runs tasks <paramref name="firstTask"/> up to <paramref name="endTask"/>.</summary>
    [MethodImpl(HotCode.Optimized)]
    public void Run(byte* x, byte* y, int firstTask, int endTask)
    {
        var pixel = new BytePixel { Channels = channels, Flip = flip, WidthStride = width.Dilation * xPitch, HeightStride = height.Dilation * width.Input * xPitch, DepthStride = depth.Dilation * height.Input * width.Input * xPitch };
        for (long n = split.Start(firstTask), end = split.Start(endTask); n < end; n++)
        {
            var outer = n / height.Output;
            var plane = outer / depth.Output;
            var (d0, dn) = depth.Valid(outer - plane * depth.Output);
            var (h0, hn) = height.Valid(n - outer * height.Output);
            (pixel.Depths, pixel.Heights) = (dn, hn);
            var line = x + ((plane * depth.Input + d0) * height.Input + h0) * width.Input * xPitch;
            for (long c = 0; c < width.Output; c++)
            {
                var (w0, wn) = width.Valid(c);
                pixel.Widths = wn;
                pixel.X = line + w0 * xPitch;
                pixel.Y = y + (n * width.Output + c) * yPitch;
                Kernel.Run(&pixel);
            }
        }
    }

    /// <summary>Rehearses a row, so that its code is compiled before a run needs it.</summary>
    public static void Rehearse(BytePoolKernel row)
    {
        using var memory = new RehearsalMemory();
        var plan = new BytePoolPlan(new(true, 1, [1], [1], [1], [1], [1], [0], [0], CountIncludePad: false, RehearsalMemory.Row), false, row);
        plan.Run(memory.Bytes(RehearsalMemory.Row), memory.Bytes(RehearsalMemory.Row), 0, plan.Tasks);
    }
}
