using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace AiOptix.Kernels.Sample;

/// <summary>
/// The loops of <see cref="SampleTable"/>. Lanes are points: of a vector of them, taps are added one after another in one register, product and sum rounded apart, so that rows of any width
/// give the same bits. What a last vector holds behind the points goes by way of a buffer.
/// </summary>
internal static unsafe class SampleLoop
{
    [MethodImpl(HotCode.Optimized)]
    public static void Wide(SampleWork* work)
    {
        var rest = stackalloc float[8];
        float* x = work->X, y = work->Y;
        for (var c = work->Channels; c > 0; c--, x += work->XPlane, y += work->YPlane)
            for (var p = 0; p < work->Points; p += 8)
            {
                var whole = work->Points - p >= 8;
                var sum = Vector256<float>.Zero;
                if (work->Adds)
                {
                    if (!whole) Unsafe.CopyBlockUnaligned(rest, y + p, (uint)(work->Points - p) * sizeof(float));
                    sum = Vector256.Load(whole ? y + p : rest);
                }
                var offsets = work->Offsets + p;
                var weights = work->Weights + p;
                for (var t = work->Taps; t > 0; t--, offsets += SampleWork.Pitch, weights += SampleWork.Pitch)
                {
                    var at = Vector256.Load(offsets);
                    var isThere = Vector256.GreaterThanOrEqual(at, Vector256<int>.Zero).AsSingle();
                    sum += Vector256.Load(weights) * Avx2.GatherMaskVector256(Vector256<float>.Zero, x, at, isThere, sizeof(float));
                }
                if (whole) sum.Store(y + p);
                else
                {
                    sum.Store(rest);
                    Unsafe.CopyBlockUnaligned(y + p, rest, (uint)(work->Points - p) * sizeof(float));
                }
            }
    }

    [MethodImpl(HotCode.Optimized)]
    public static void Four(SampleWork* work)
    {
        var rest = stackalloc float[4];
        float* x = work->X, y = work->Y;
        for (var c = work->Channels; c > 0; c--, x += work->XPlane, y += work->YPlane)
            for (var p = 0; p < work->Points; p += 4)
            {
                var whole = work->Points - p >= 4;
                var sum = Vector128<float>.Zero;
                if (work->Adds)
                {
                    if (!whole) Unsafe.CopyBlockUnaligned(rest, y + p, (uint)(work->Points - p) * sizeof(float));
                    sum = Vector128.Load(whole ? y + p : rest);
                }
                var offsets = work->Offsets + p;
                var weights = work->Weights + p;
                for (var t = work->Taps; t > 0; t--, offsets += SampleWork.Pitch, weights += SampleWork.Pitch)
                    sum += Vector128.Load(weights) * Vector128.Create(Read(x, offsets[0]), Read(x, offsets[1]), Read(x, offsets[2]), Read(x, offsets[3]));
                if (whole) sum.Store(y + p);
                else
                {
                    sum.Store(rest);
                    Unsafe.CopyBlockUnaligned(y + p, rest, (uint)(work->Points - p) * sizeof(float));
                }
            }
    }

    [MethodImpl(HotCode.Optimized)]
    public static void One(SampleWork* work)
    {
        float* x = work->X, y = work->Y;
        for (var c = work->Channels; c > 0; c--, x += work->XPlane, y += work->YPlane)
            for (var p = 0; p < work->Points; p++)
            {
                var sum = work->Adds ? y[p] : 0;
                for (var t = 0; t < work->Taps; t++) sum += work->Weights[t * SampleWork.Pitch + p] * Read(x, work->Offsets[t * SampleWork.Pitch + p]);
                y[p] = sum;
            }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Read(float* x, int at) => at < 0 ? 0 : x[at];
}
