using System.Numerics;
using System.Runtime.CompilerServices;
using AiOptix.Kernels.Loops;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Elementwise;

/// <summary>The contract of IsNaN and IsInf over dense elements: a byte of 1 where the test holds, 0 elsewhere.</summary>
/// <param name="Type">Float16, Float32 or Float64.</param>
/// <param name="IsNaN">Tests for NaN; otherwise for being one of two values.</param>
/// <param name="First">The first value; NaN for none.</param>
/// <param name="Second">The second one.</param>
/// <param name="Count">Elements.</param>
public sealed record FloatTestDescriptor(DType Type, bool IsNaN, double First, double Second, long Count);

/// <summary>IsNaN or IsInf, made ready. Immutable.</summary>
public sealed unsafe class FloatTestPlan
{
    private readonly FloatTestDescriptor d;
    private readonly Split split;
    private readonly delegate*<FloatTestDescriptor, byte*, byte*, long, long, void> run;

    private FloatTestPlan(FloatTestDescriptor descriptor, delegate*<FloatTestDescriptor, byte*, byte*, long, long, void> run)
    {
        d = descriptor;
        this.run = run;
        split = new Split(d.Count, 1);
    }

    /// <summary>The specification.</summary>
    public string KernelName => $"{(d.IsNaN ? "isnan" : "isinf")}_{d.Type.Name()}_scalar";

    /// <summary>Tasks; any cut of them into ranges gives the same bytes.</summary>
    public int Tasks => split.Tasks;

    /// <summary>Plans the operation; null for an element type that has no code.</summary>
    public static FloatTestPlan? Create(FloatTestDescriptor d) => d.Type switch
    {
        DType.Float16 => new(d, &Loop<Half>),
        DType.Float32 => new(d, &Loop<float>),
        DType.Float64 => new(d, &Loop<double>),
        _ => null,
    };

    /// <summary>Runs tasks <paramref name="firstTask"/> up to <paramref name="endTask"/>.</summary>
    public void Run(byte* x, byte* y, int firstTask, int endTask) => run(d, x, y, split.Start(firstTask), split.Start(endTask));

    /// <summary>Makes the code ready that a plan runs.</summary>
    public static void Rehearse(DType type)
    {
        using var memory = new RehearsalMemory();
        foreach (var isNaN in (bool[])[true, false]) Create(new(type, isNaN, 1, 1, 2))?.Run(memory.Bytes(16), memory.Bytes(2), 0, 1);
    }

    [MethodImpl(HotCode.Optimized)]
    private static void Loop<T>(FloatTestDescriptor d, byte* x, byte* y, long first, long end) where T : unmanaged, INumber<T>
    {
        var from = (T*)x;
        if (d.IsNaN)
        {
            for (var i = first; i < end; i++) y[i] = T.IsNaN(from[i]) ? (byte)1 : (byte)0;
            return;
        }
        T a = T.CreateTruncating(d.First), b = T.CreateTruncating(d.Second);
        for (var i = first; i < end; i++) y[i] = from[i] == a || from[i] == b ? (byte)1 : (byte)0;
    }
}
