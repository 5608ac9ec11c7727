using System.Runtime.CompilerServices;
using AiOptix.Kernels.Reduce;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Pool;

/// <summary>What a channels-last pooling kernel needs for one output pixel.</summary>
public unsafe struct PoolPixel
{
    /// <summary>The window's first valid input pixel.</summary>
    public float* X;
    /// <summary>The output pixel.</summary>
    public float* Y;
    /// <summary>Channels.</summary>
    public long Channels;
    /// <summary>Valid window entries along depth.</summary>
    public long Depths;
    /// <summary>Their distance in elements.</summary>
    public long DepthStride;
    /// <summary>Valid window entries along height.</summary>
    public long Heights;
    /// <summary>Their distance in elements.</summary>
    public long HeightStride;
    /// <summary>Valid window entries along width.</summary>
    public long Widths;
    /// <summary>Their distance in elements.</summary>
    public long WidthStride;
    /// <summary>Whether results are divided.</summary>
    public bool Divides;
    /// <summary>What they are divided by.</summary>
    public float Divisor;
}

/// <summary>One output pixel of a channels-last pooling: vectors run along the channels, four at a time; a window's elements join in the order depth, height, width.</summary>
internal static unsafe class PoolPixelLoop
{
    [MethodImpl(HotCode.Optimized)]
    public static void Pixel<TF, T>(PoolPixel* p) where TF : struct, IReduceF32 where T : unmanaged, IVec<T>
    {
        long c = 0;
        var divisor = T.Set(p->Divisor);
        for (; c <= p->Channels - 4 * T.Count; c += 4 * T.Count)
        {
            T a0 = T.Set(TF.Identity), a1 = a0, a2 = a0, a3 = a0;
            for (long d = 0; d < p->Depths; d++)
                for (long h = 0; h < p->Heights; h++)
                {
                    var x = p->X + d * p->DepthStride + h * p->HeightStride + c;
                    for (var w = p->Widths; w > 0; w--, x += p->WidthStride)
                    {
                        a0 = TF.Join(a0, T.Load(x));
                        a1 = TF.Join(a1, T.Load(x + T.Count));
                        a2 = TF.Join(a2, T.Load(x + 2 * T.Count));
                        a3 = TF.Join(a3, T.Load(x + 3 * T.Count));
                    }
                }
            if (p->Divides)
            {
                a0 /= divisor;
                a1 /= divisor;
                a2 /= divisor;
                a3 /= divisor;
            }
            T.Store(p->Y + c, a0);
            T.Store(p->Y + c + T.Count, a1);
            T.Store(p->Y + c + 2 * T.Count, a2);
            T.Store(p->Y + c + 3 * T.Count, a3);
        }
        if (p->Channels >= T.Count)
        {
            // Two vectors at a time, none beyond the last channel: the last ones may repeat channels.
            for (var last = p->Channels - T.Count; c < p->Channels; c += 2 * T.Count)
            {
                long first = Math.Min(c, last), second = Math.Min(c + T.Count, last);
                T a0 = T.Set(TF.Identity), a1 = a0;
                for (long d = 0; d < p->Depths; d++)
                    for (long h = 0; h < p->Heights; h++)
                    {
                        var x = p->X + d * p->DepthStride + h * p->HeightStride;
                        for (var w = p->Widths; w > 0; w--, x += p->WidthStride)
                        {
                            a0 = TF.Join(a0, T.Load(x + first));
                            a1 = TF.Join(a1, T.Load(x + second));
                        }
                    }
                if (p->Divides)
                {
                    a0 /= divisor;
                    a1 /= divisor;
                }
                T.Store(p->Y + first, a0);
                T.Store(p->Y + second, a1);
            }
            return;
        }
        var some = T.Set(TF.Identity);
        for (long d = 0; d < p->Depths; d++)
            for (long h = 0; h < p->Heights; h++)
            {
                var x = p->X + d * p->DepthStride + h * p->HeightStride;
                for (var w = p->Widths; w > 0; w--, x += p->WidthStride) some = TF.Join(some, T.LoadPart(x, (int)p->Channels));
            }
        if (p->Divides) some /= divisor;
        T.StorePart(p->Y, some, (int)p->Channels);
    }
}
