using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Rotary;

/// <summary>A row of the table of rotary positions.</summary>
public readonly unsafe struct RotaryKernel
{
    internal RotaryKernel(string name, bool interleaved, delegate*<float*, float*, float*, float*, int, void> run)
    {
        Name = name;
        Interleaved = interleaved;
        Run = run;
    }

    /// <summary>The specification.</summary>
    public readonly string Name;
    /// <summary>Instruction sets it uses: none beyond the base.</summary>
    public readonly Isa Needs => Isa.None;
    /// <summary>Pairs are neighbours, not an element of either half.</summary>
    public readonly bool Interleaved;
    /// <summary>The code: a head of X, cosines, sines, the head of Y, pairs.</summary>
    public readonly delegate*<float*, float*, float*, float*, int, void> Run;
}

/// <summary>Rotary positions of a head, best first for each form; the last one of a form is the scalar reference. All rows of a form give the same bits.</summary>
public static unsafe class RotaryTable
{
    /// <summary>All rows.</summary>
    public static IReadOnlyList<RotaryKernel> Rows { get; } =
    [
        new("rotary_f32_halves_v128", false, &HalvesVector),
        new("rotary_f32_halves_scalar", false, &Halves),
        new("rotary_f32_interleaved_v128", true, &NeighboursVector),
        new("rotary_f32_interleaved_scalar", true, &Neighbours),
    ];

    /// <summary>The best row of a form.</summary>
    public static RotaryKernel Select(bool interleaved) => Rows.First(r => r.Interleaved == interleaved);

    [MethodImpl(HotCode.Optimized)]
    private static void Halves(float* x, float* cosines, float* sines, float* y, int n)
    {
        for (var i = 0; i < n; i++)
        {
            var (p, q) = (x[i], x[i + n]);
            y[i] = cosines[i] * p - sines[i] * q;
            y[i + n] = sines[i] * p + cosines[i] * q;
        }
    }

    [MethodImpl(HotCode.Optimized)]
    private static void HalvesVector(float* x, float* cosines, float* sines, float* y, int n)
    {
        var i = 0;
        for (; i <= n - 4; i += 4)
        {
            var (p, q) = (Vector128.Load(x + i), Vector128.Load(x + i + n));
            var (cos, sin) = (Vector128.Load(cosines + i), Vector128.Load(sines + i));
            (cos * p - sin * q).Store(y + i);
            (sin * p + cos * q).Store(y + i + n);
        }
        for (; i < n; i++)
        {
            var (p, q) = (x[i], x[i + n]);
            y[i] = cosines[i] * p - sines[i] * q;
            y[i + n] = sines[i] * p + cosines[i] * q;
        }
    }

    [MethodImpl(HotCode.Optimized)]
    private static void Neighbours(float* x, float* cosines, float* sines, float* y, int n)
    {
        for (var i = 0; i < n; i++)
        {
            var (p, q) = (x[2 * i], x[2 * i + 1]);
            y[2 * i] = cosines[i] * p - sines[i] * q;
            y[2 * i + 1] = sines[i] * p + cosines[i] * q;
        }
    }

    [MethodImpl(HotCode.Optimized)]
    private static void NeighboursVector(float* x, float* cosines, float* sines, float* y, int n)
    {
        var signs = Vector128.Create(-0f, 0f, -0f, 0f);
        var i = 0;
        for (; i <= n - 2; i += 2)
        {
            var pairs = Vector128.Load(x + 2 * i);
            var cos = Vector128.Create(cosines[i], cosines[i], cosines[i + 1], cosines[i + 1]);
            var sin = Vector128.Create(sines[i], sines[i], sines[i + 1], sines[i + 1]);
            var swapped = Vector128.Shuffle(pairs, Vector128.Create(1, 0, 3, 2));
            (cos * pairs + ((sin * swapped) ^ signs)).Store(y + 2 * i);
        }
        if (i < n) Neighbours(x + 2 * i, cosines + i, sines + i, y + 2 * i, n - i);
    }
}
