using System.Runtime.CompilerServices;
using AiOptix.Kernels.Conv;
using AiOptix.Kernels.Loops;
using AiOptix.Tensors;

namespace AiOptix.Kernels.QuantizedConv;

/// <summary>A matrix [terms, outputs] of bytes that only a run knows, as the right factor of a product.</summary>
public unsafe struct QuantizedMatrix
{
    /// <summary>The first element.</summary>
    public byte* Bytes;
    /// <summary>From a term to the next.</summary>
    public nint TermStride;
    /// <summary>From an output to the next.</summary>
    public nint OutputStride;
    /// <summary>Bytes are signed.</summary>
    public bool IsSigned;
    /// <summary>The zero point.</summary>
    public int Zero;
    /// <summary>What a step of the sum is in steps of the result; finite.</summary>
    public float Factor;
    /// <summary>The zero point of the left factor.</summary>
    public int InputZero;
}

/// <summary>A plan of a product that packs such a matrix as it packs weights.</summary>
internal unsafe interface IPacksMatrices
{
    /// <summary>Packs a matrix. Allocates nothing.</summary>
    void PackMatrix(in QuantizedMatrix matrix, byte* packed);
}

/// <summary>Products of matrices of bytes, both of which come with a run: Y[b] = X[b] · W[b], less their zero points, in exact int32 sums that the caller guarantees not to overflow.</summary>
/// <param name="Rows">Rows of X and Y.</param>
/// <param name="Terms">Columns of X, rows of W.</param>
/// <param name="Outputs">Columns of W and Y.</param>
/// <param name="Form">What the sums become, and what kind of bytes there are; its convolution is not looked at.</param>
public readonly record struct QuantizedProductShape(int Rows, int Terms, int Outputs, QuantizedShape Form)
{
    /// <summary>From a row of X to the next.</summary>
    public int XPitch { get; init; }
}

/// <summary>
/// Such products made ready: a task packs the right matrix of a batch into scratch, as the kernel wants it, and multiplies some rows with it. Rows of <see cref="QuantizedConvTable"/> do the work, so that all
/// instruction sets give the same bits. Immutable.
/// </summary>
public sealed unsafe class QuantizedProductPlan
{
    private const int RowsATask = 256;
    private const int Alignment = 64;

    private readonly QuantizedProductShape shape;
    private readonly (long X, long W)[] batches;
    private readonly int blocks, height;
    private readonly QuantizedConvPlan whole, rest;

    /// <summary>Plans products.</summary>
    /// <param name="shape">What each is.</param>
    /// <param name="batches">Where the matrices of each begin, in elements; results lie one behind the other.</param>
    /// <param name="target">The machine.</param>
    /// <param name="row">The row of the table; null chooses.</param>
    public QuantizedProductPlan(QuantizedProductShape shape, (long X, long W)[] batches, Target target, QuantizedConvKernel? row = null)
    {
        this.batches = batches;
        this.shape = shape;
        // Empty results have no tasks, and empty sums no kernel.
        var planned = shape with { Terms = Math.Max(1, shape.Terms), Outputs = Math.Max(1, shape.Outputs) };
        blocks = Math.Max(1, (shape.Rows + RowsATask - 1) / RowsATask);
        height = (shape.Rows + blocks - 1) / blocks;
        var kernel = row ?? QuantizedConvTable.Select(Of(planned, height), target);
        KernelName = kernel.Name;
        whole = kernel.Plan(Of(planned, height), target);
        rest = kernel.Plan(Of(planned, shape.Rows - (blocks - 1) * height), target);
    }

    /// <summary>The name of the table row.</summary>
    public string KernelName { get; }

    /// <summary>Bytes of scratch that each worker needs, at any alignment.</summary>
    public long ScratchBytes => Packed + Math.Max(whole.ScratchBytes, rest.ScratchBytes) + Alignment;

    /// <summary>Independent shares of the work, by shape only.</summary>
    public int Tasks => shape.Rows == 0 || shape.Outputs == 0 ? 0 : checked(batches.Length * blocks);

    private long Packed => (whole.PackedWeightBytes + Alignment - 1) / Alignment * Alignment;

    /// <summary>Computes tasks <paramref name="firstTask"/> to <paramref name="endTask"/> − 1. Allocates and throws nothing.</summary>
    /// <param name="call">The left factor, the result and their numbers; the packed weights are not looked at.</param>
    /// <param name="matrix">The right factor.</param>
    /// <param name="firstTask">The first task.</param>
    /// <param name="endTask">Behind the last.</param>
    /// <param name="scratch">Memory.</param>
    [MethodImpl(HotCode.Optimized)]
    public void Run(in QuantizedConvCall call, in QuantizedMatrix matrix, int firstTask, int endTask, byte* scratch)
    {
        scratch = (byte*)(((nint)scratch + Alignment - 1) & -Alignment);
        var part = call;
        part.PackedWeights = scratch;
        for (int task = firstTask, last = -1; task < endTask; task++)
        {
            var (batch, block) = (task / blocks, task % blocks);
            part.Y = call.Y + ((nint)batch * shape.Rows + (nint)block * height) * shape.Outputs * shape.Form.ResultBytes;
            var plan = block == blocks - 1 ? rest : whole;
            if (shape.Terms == 0)
            {
                ByteLines.Fill(part.Y, (nint)plan.Shape.Conv.OutputPixels * shape.Outputs * shape.Form.ResultBytes, shape.Form.ResultBytes == 1 ? (byte)call.Zero : (byte)0);
                continue;
            }
            if (batch != last)
            {
                var right = matrix;
                right.Bytes += batches[batch].W;
                ((IPacksMatrices)whole).PackMatrix(right, scratch);
                last = batch;
            }
            part.X = call.X + batches[batch].X + (nint)block * height * Pitch(shape);
            plan.Run(part, 0, plan.Tasks, scratch + Packed);
        }
    }

    /// <summary>Makes the code ready that products run.</summary>
    public static void Rehearse(QuantizedProductShape shape, Target target)
    {
        var form = Of(shape, 1);
        QuantizedConvTable.Select(form, target).Rehearse(form, false, target);
        using var memory = new RehearsalMemory();
        var plan = new QuantizedProductPlan(shape with { Rows = 1 }, [(0, 0)], target);
        var call = new QuantizedConvCall { X = memory.Bytes(Pitch(shape)), Y = memory.Bytes((long)shape.Outputs * shape.Form.ResultBytes) };
        var bytes = memory.Bytes((long)shape.Terms * shape.Outputs);
        plan.Run(call, new QuantizedMatrix { Bytes = bytes, TermStride = shape.Outputs, OutputStride = 1, Factor = 1 }, 0, plan.Tasks, memory.Bytes(plan.ScratchBytes));
    }

    private static int Pitch(in QuantizedProductShape shape) => shape.XPitch == 0 ? shape.Terms : shape.XPitch;

    private static QuantizedShape Of(in QuantizedProductShape shape, int rows) =>
        shape.Form with { Conv = new ConvShape(1, shape.Terms, shape.Outputs, 1, ConvAxis.None, ConvAxis.None, new(rows)) { XPitch = Pitch(shape) } };
}
