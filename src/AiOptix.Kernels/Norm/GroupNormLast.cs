using System.Runtime.CompilerServices;
using AiOptix.Kernels.Loops;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Norm;

/// <summary>
/// GroupNorm over a dense [batch, spatial, channels] float tensor, made ready; InstanceNorm is as many groups as channels. Uses X, Y, Scale and Bias (both [channels]) of
/// <see cref="NormArgs"/>. A task takes whole groups of one image. Immutable.
/// </summary>
public sealed unsafe class GroupNormLastPlan
{
    private const long ChannelsAtOnce = 64;

    private readonly long groups, channels, width, spatial, groupsATask, tasksAnImage;
    private readonly float epsilon;
    private readonly Split split;

    /// <summary>Plans the operation; <paramref name="row"/> forces a row of the table.</summary>
    public GroupNormLastPlan(long batch, long channels, long groups, long spatial, float epsilon, Target target, NormKernel? row = null)
    {
        (this.groups, this.channels, this.spatial, this.epsilon) = (groups, channels, spatial, epsilon);
        width = channels / groups;
        Kernel = row ?? NormTable.Select(target);
        groupsATask = Math.Clamp(ChannelsAtOnce / Math.Max(width, 1), 1, groups);
        tasksAnImage = (groups + groupsATask - 1) / groupsATask;
        split = new Split(spatial == 0 ? 0 : batch * tasksAnImage, groupsATask * width * spatial * 3);
    }

    /// <summary>The chosen row.</summary>
    public NormKernel Kernel { get; }

    /// <summary>Tasks; any cut of them into ranges gives the same bits.</summary>
    public int Tasks => split.Tasks;

    /// <summary>Scratch bytes a worker needs.</summary>
    public long ScratchBytes => 2 * groupsATask * width * sizeof(float);

    /// <summary>Runs tasks <paramref name="firstTask"/> up to <paramref name="endTask"/>.</summary>
    [MethodImpl(HotCode.Optimized)]
    public void Run(NormArgs* args, int firstTask, int endTask, byte* scratch)
    {
        for (long at = split.Start(firstTask), end = split.Start(endTask); at < end; at++)
        {
            var image = at / tasksAnImage;
            var group = (at - image * tasksAnImage) * groupsATask;
            var count = Math.Min(groupsATask, groups - group);
            var first = group * width;
            var n = count * width;
            float* x = args->X + image * spatial * channels + first, mean = (float*)scratch, factor = mean + n;
            Kernel.ChannelSums(x, channels, spatial, n, null, mean);
            for (long g = 0; g < count; g++) Share(mean + g * width, width, spatial * width, 1);
            Kernel.ChannelSums(x, channels, spatial, n, mean, factor);
            for (long g = 0; g < count; g++) Share(factor + g * width, width, spatial * width, 0);
            for (long c = 0; c < n; c++) factor[c] *= args->Scale[first + c];
            Kernel.ChannelScale(x, channels, spatial, n, mean, factor, args->Bias + first, args->Y + image * spatial * channels + first);
        }
    }

    /// <summary>Rehearses a row: normalises a few elements, so that its code is compiled before a run needs it.</summary>
    public static void Rehearse(NormKernel row)
    {
        using var memory = new RehearsalMemory();
        const int channels = 2 * RehearsalMemory.Row, spatial = 3;
        var plan = new GroupNormLastPlan(1, channels, 2, spatial, 1, HostTarget.Current, row);
        var args = new NormArgs { X = memory.Floats(channels * spatial), Scale = memory.Floats(channels), Bias = memory.Floats(channels), Y = memory.Floats(channels * spatial) };
        plan.Run(&args, 0, plan.Tasks, memory.Bytes(plan.ScratchBytes));
    }

    /// <summary>Gives every channel of a group what follows from the sum of all: the mean (power 1), or one over the deviation (power 0).</summary>
    [MethodImpl(HotCode.Optimized)]
    private void Share(float* sums, long n, long elements, int power)
    {
        var sum = 0f;
        for (long c = 0; c < n; c++) sum += sums[c];
        var value = power == 1 ? sum / elements : 1f / MathF.Sqrt(sum / elements + epsilon);
        for (long c = 0; c < n; c++) sums[c] = value;
    }
}

/// <summary>What a normalisation does to channels that lie last: vectors run along the channels, four at a time.</summary>
internal static unsafe class ChannelLoop
{
    private const long Stretch = 256;

    /// <summary>For each of n channels the sum over pixels, or that of squared differences from a mean; in stretches, whose sums add up in turn.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Sums<T>(float* x, long pitch, long pixels, long n, float* mean, float* sums) where T : unmanaged, IVec<T>
    {
        for (long c = 0; c < n; c++) sums[c] = 0f;
        for (long p = 0; p < pixels; p += Stretch, x += Stretch * pitch)
        {
            var count = Math.Min(Stretch, pixels - p);
            long c = 0;
            for (; c <= n - 4 * T.Count; c += 4 * T.Count)
            {
                T a0 = T.Zero, a1 = T.Zero, a2 = T.Zero, a3 = T.Zero;
                var from = x + c;
                if (mean == null)
                    for (var i = count; i > 0; i--, from += pitch)
                    {
                        a0 += T.Load(from);
                        a1 += T.Load(from + T.Count);
                        a2 += T.Load(from + 2 * T.Count);
                        a3 += T.Load(from + 3 * T.Count);
                    }
                else
                {
                    T m0 = T.Load(mean + c), m1 = T.Load(mean + c + T.Count), m2 = T.Load(mean + c + 2 * T.Count), m3 = T.Load(mean + c + 3 * T.Count);
                    for (var i = count; i > 0; i--, from += pitch)
                    {
                        T d0 = T.Load(from) - m0, d1 = T.Load(from + T.Count) - m1, d2 = T.Load(from + 2 * T.Count) - m2, d3 = T.Load(from + 3 * T.Count) - m3;
                        a0 = T.Fma(d0, d0, a0);
                        a1 = T.Fma(d1, d1, a1);
                        a2 = T.Fma(d2, d2, a2);
                        a3 = T.Fma(d3, d3, a3);
                    }
                }
                T.Store(sums + c, T.Load(sums + c) + a0);
                T.Store(sums + c + T.Count, T.Load(sums + c + T.Count) + a1);
                T.Store(sums + c + 2 * T.Count, T.Load(sums + c + 2 * T.Count) + a2);
                T.Store(sums + c + 3 * T.Count, T.Load(sums + c + 3 * T.Count) + a3);
            }
            for (; c < n; c += T.Count)
            {
                var part = (int)Math.Min(T.Count, n - c);
                var a = T.Zero;
                var from = x + c;
                var m = mean == null ? T.Zero : T.LoadPart(mean + c, part);
                if (mean == null)
                    for (var i = count; i > 0; i--, from += pitch) a += T.LoadPart(from, part);
                else
                    for (var i = count; i > 0; i--, from += pitch)
                    {
                        var d = T.LoadPart(from, part) - m;
                        a = T.Fma(d, d, a);
                    }
                T.StorePart(sums + c, T.LoadPart(sums + c, part) + a, part);
            }
        }
    }

    /// <summary>y = (x − mean)·factor + bias for n channels of each pixel.</summary>
    [MethodImpl(HotCode.Optimized)]
    public static void Scale<T>(float* x, long pitch, long pixels, long n, float* mean, float* factor, float* bias, float* y) where T : unmanaged, IVec<T>
    {
        for (; pixels > 0; pixels--, x += pitch, y += pitch)
        {
            long c = 0;
            for (; c <= n - T.Count; c += T.Count) T.Store(y + c, T.Fma(T.Load(x + c) - T.Load(mean + c), T.Load(factor + c), T.Load(bias + c)));
            var part = (int)(n - c);
            if (part > 0) T.StorePart(y + c, T.Fma(T.LoadPart(x + c, part) - T.LoadPart(mean + c, part), T.LoadPart(factor + c, part), T.LoadPart(bias + c, part)), part);
        }
    }
}
