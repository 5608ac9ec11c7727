using System.Runtime.CompilerServices;
using AiOptix.Kernels.Elementwise;
using AiOptix.Kernels.Gemm;
using AiOptix.Kernels.Loops;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Recurrent;

/// <summary>A function of a cell.</summary>
/// <param name="Kind">The function.</param>
/// <param name="Args">Its parameters.</param>
public readonly record struct CellFunction(UnaryKind Kind, ActivationArgs Args);

/// <summary>
/// The steps of a recurrent layer in time, made ready. A task is one direction of a block of sequences: at each step a product of the block's states with the recurrent weights, then the
/// cell of each sequence. Immutable; results do not depend on how tasks are grouped.
/// </summary>
public sealed unsafe class RecurrentPlan
{
    private readonly RecurrentShape shape;
    private readonly UnaryKernel[] functions;
    private readonly ActivationArgs[] args;
    private readonly GemmPlan[] products;
    private readonly GemmPlan[] resets;
    private readonly int block;
    private readonly int blocks;
    private readonly int columns;

    /// <summary>Plans a layer.</summary>
    /// <param name="shape">The layer.</param>
    /// <param name="functions">The functions of each direction in turn.</param>
    /// <param name="target">The machine.</param>
    /// <param name="row">Forces a row of the table.</param>
    public RecurrentPlan(RecurrentShape shape, ReadOnlySpan<CellFunction> functions, Target target, RecurrentKernel? row = null)
    {
        if (functions.Length != shape.Directions * shape.Functions) throw new ArgumentException($"{functions.Length} functions; expected {shape.Directions * shape.Functions}", nameof(functions));
        this.shape = shape;
        Kernel = row ?? RecurrentTable.Select(target);
        this.functions = new UnaryKernel[functions.Length];
        args = new ActivationArgs[functions.Length];
        for (var i = 0; i < args.Length; i++) (this.functions[i], args[i]) = (Function(functions[i].Kind, target, Kernel), functions[i].Args);
        block = Math.Max(1, Math.Min(shape.Batch, Kernel.Gemm.Mr));
        blocks = (shape.Batch + block - 1) / block;
        var rest = shape.Batch - (blocks - 1) * block;
        var n = shape.Hidden;
        columns = (shape.Cell == RecurrentCell.GruResetFirst ? 2 : shape.Gates) * n;
        products = [Product(block, columns), Product(rest, columns)];
        resets = shape.Cell == RecurrentCell.GruResetFirst ? [Product(block, n), Product(rest, n)] : [];

        GemmPlan Product(int m, int count) => new(new GemmShape(Math.Max(m, 1), count, n, PackedB: shape.Packed), target, Kernel.Gemm);
    }

    /// <summary>The chosen row.</summary>
    public RecurrentKernel Kernel { get; }

    /// <summary>Tasks; any cut of them into ranges gives the same bits.</summary>
    public int Tasks => shape.Directions * blocks;

    /// <summary>Scratch bytes a worker needs.</summary>
    public long ScratchBytes
    {
        get
        {
            long most = 0;
            foreach (var p in products) most = Math.Max(most, p.ScratchBytes);
            foreach (var p in resets) most = Math.Max(most, p.ScratchBytes);
            return Floats(shape.Gates + 3) * sizeof(float) + most;
        }
    }

    /// <summary>Bytes of the recurrent weights of all directions in the form that <see cref="Run"/> reads.</summary>
    public long WeightBytes => shape.Directions * DirectionBytes;

    private long DirectionBytes => Bytes(products[0]) + (resets.Length > 0 ? Bytes(resets[0]) : 0);

    /// <summary>Brings recurrent weights [directions, gates·hidden, hidden] into the form that <see cref="Run"/> reads.</summary>
    public void Pack(float* weights, float* packed)
    {
        var n = shape.Hidden;
        for (var d = 0; d < shape.Directions; d++)
        {
            var from = weights + (nint)d * shape.Gates * n * n;
            var to = packed + d * (nint)(DirectionBytes / sizeof(float));
            PackProduct(products[0], from, to);
            if (resets.Length > 0) PackProduct(resets[0], from + (nint)columns * n, to + (nint)(Bytes(products[0]) / sizeof(float)));
        }
    }

    /// <summary>Runs tasks <paramref name="firstTask"/> up to <paramref name="endTask"/>. Allocates and throws nothing.</summary>
    [MethodImpl(HotCode.Optimized)]
    public void Run(in RecurrentCall call, int firstTask, int endTask, byte* scratch)
    {
        for (var task = firstTask; task < endTask; task++)
        {
            var direction = task / blocks;
            var first = (task - direction * blocks) * block;
            RunBlock(call, direction, first, Math.Min(shape.Batch, first + block) - first, (float*)scratch);
        }
    }

    [MethodImpl(HotCode.Optimized)]
    private void RunBlock(in RecurrentCall call, int direction, int first, int rows, float* scratch)
    {
        var n = shape.Hidden;
        var gates = scratch;
        var state = gates + (nint)block * shape.Gates * n;
        var cell = state + (nint)block * n;
        var spare = cell + (nint)block * n;
        var gemm = (byte*)(scratch + Floats(shape.Gates + 3));
        var longest = 0;
        for (var r = 0; r < rows; r++)
        {
            var at = StateAt(direction, first + r);
            Fetch(call.InitialState, at, state + (nint)r * n);
            Fetch(call.InitialCell, at, cell + (nint)r * n);
            longest = Math.Max(longest, LengthOf(call, first + r));
        }
        var weights = call.Weights + direction * (nint)(DirectionBytes / sizeof(float));
        var second = weights + (nint)(Bytes(products[0]) / sizeof(float));
        var isLast = rows == block ? 0 : 1;
        new Span<float>(spare, block * n).Clear();
        for (var step = 0; step < longest; step++)
        {
            Multiply(products[isLast], state, weights, gates, shape.Gates * n, step, gemm);
            for (var r = 0; r < rows; r++)
                if (step < LengthOf(call, first + r)) Advance(call, direction, InputAt(call, direction, first + r, step), gates + (nint)r * shape.Gates * n, state + (nint)r * n, cell + (nint)r * n, spare + (nint)r * n);
            if (resets.Length > 0)
            {
                Multiply(resets[isLast], spare, second, gates + 2 * n, shape.Gates * n, step, gemm);
                for (var r = 0; r < rows; r++)
                    if (step < LengthOf(call, first + r)) Finish(call, direction, InputAt(call, direction, first + r, step), gates + (nint)r * shape.Gates * n, state + (nint)r * n);
            }
            if (call.Y == null) continue;
            for (var r = 0; r < rows; r++)
                if (step < LengthOf(call, first + r)) new ReadOnlySpan<float>(state + (nint)r * n, n).CopyTo(new Span<float>(OutputAt(call, direction, first + r, TimeOf(call, direction, first + r, step)), n));
        }
        for (var r = 0; r < rows; r++)
        {
            var at = StateAt(direction, first + r);
            if (call.LastState != null) new ReadOnlySpan<float>(state + (nint)r * n, n).CopyTo(new Span<float>(call.LastState + at, n));
            if (call.LastCell != null) new ReadOnlySpan<float>(cell + (nint)r * n, n).CopyTo(new Span<float>(call.LastCell + at, n));
            if (call.Y == null) continue;
            for (var t = LengthOf(call, first + r); t < shape.Length; t++) new Span<float>(OutputAt(call, direction, first + r, t), n).Clear();
        }
    }

    /// <summary>One step of one sequence; for a GRU that resets first, up to its second product.</summary>
    [MethodImpl(HotCode.Optimized)]
    private void Advance(in RecurrentCall call, int direction, float* x, float* g, float* h, float* c, float* spare)
    {
        var n = shape.Hidden;
        switch (shape.Cell)
        {
            case RecurrentCell.Rnn:
                Kernel.Sum(x, g, h, n, call.Clip);
                Apply(direction, 0, h, n);
                break;
            case RecurrentCell.Gru:
                Kernel.Sum(x, g, g, 2 * n, call.Clip);
                Apply(direction, 0, g, 2 * n);
                Kernel.Candidate(x + 2 * n, g + n, g + 2 * n, call.CandidateBias == null ? null : call.CandidateBias + (nint)direction * n, g + 2 * n, n, call.Clip);
                Apply(direction, 1, g + 2 * n, n);
                Kernel.Blend(g, g + 2 * n, h, n);
                break;
            case RecurrentCell.GruResetFirst:
                Kernel.Sum(x, g, g, 2 * n, call.Clip);
                Apply(direction, 0, g, 2 * n);
                Kernel.Product(g + n, h, spare, n);
                break;
            default:
                var p = call.Peepholes == null ? null : call.Peepholes + (nint)direction * 3 * n;
                if (p == null)
                {
                    Kernel.Sum(x, g, g, 4 * n, call.Clip);
                    Apply(direction, 0, g, 3 * n);
                }
                else
                {
                    Kernel.Peephole(x, g, p, c, g, n, call.Clip);
                    Kernel.Peephole(x + 2 * n, g + 2 * n, p + 2 * n, c, g + 2 * n, n, call.Clip);
                    Kernel.Sum(x + 3 * n, g + 3 * n, g + 3 * n, n, call.Clip);
                    Apply(direction, 0, g, n);
                    Apply(direction, 0, g + 2 * n, n);
                }
                Apply(direction, 1, g + 3 * n, n);
                Kernel.Cell(g, shape.Cell == RecurrentCell.LstmCoupled ? null : g + 2 * n, g + 3 * n, c, spare, n, call.Clip);
                if (p != null)
                {
                    Kernel.Peephole(x + n, g + n, p + n, c, g + n, n, call.Clip);
                    Apply(direction, 0, g + n, n);
                }
                Apply(direction, 2, spare, n);
                Kernel.Product(g + n, spare, h, n);
                break;
        }
    }

    [MethodImpl(HotCode.Optimized)]
    private void Finish(in RecurrentCall call, int direction, float* x, float* g, float* h)
    {
        var n = shape.Hidden;
        Kernel.Sum(x + 2 * n, g + 2 * n, g + 2 * n, n, call.Clip);
        Apply(direction, 1, g + 2 * n, n);
        Kernel.Blend(g, g + 2 * n, h, n);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Apply(int direction, int function, float* x, int n)
    {
        var at = direction * shape.Functions + function;
        var a = args[at];
        functions[at].Run(x, x, n, &a);
    }

    // Weights read forwards and backwards in turn come 1.3 times as fast out of the second-level cache, and those that outgrow it as well.
    [MethodImpl(HotCode.Optimized)]
    private static void Multiply(GemmPlan plan, float* state, float* weights, float* result, int stride, int step, byte* scratch)
    {
        var product = new GemmCall { A = state, ARowStride = plan.Shape.K, B = weights, BRowStride = plan.Shape.N, C = result, CRowStride = stride, Backwards = (step & 1) == 1 };
        plan.Run(product, 0, plan.Tasks, scratch);
    }

    private void Fetch(float* source, nint at, float* destination)
    {
        var to = new Span<float>(destination, shape.Hidden);
        if (source == null) to.Clear();
        else new ReadOnlySpan<float>(source + at, shape.Hidden).CopyTo(to);
    }

    private int LengthOf(in RecurrentCall call, int sequence) => call.Lengths == null ? shape.Length : Math.Clamp(call.Lengths[sequence], 0, shape.Length);

    private int TimeOf(in RecurrentCall call, int direction, int sequence, int step) => shape.Reverse || direction == 1 ? LengthOf(call, sequence) - 1 - step : step;

    private nint StateAt(int direction, int sequence) =>
        (shape.BatchFirst ? (nint)sequence * shape.Directions + direction : (nint)direction * shape.Batch + sequence) * shape.Hidden;

    private float* InputAt(in RecurrentCall call, int direction, int sequence, int step)
    {
        var t = TimeOf(call, direction, sequence, step);
        var row = shape.BatchFirst ? (nint)sequence * shape.Length + t : (nint)t * shape.Batch + sequence;
        return call.Projected + ((nint)direction * shape.Length * shape.Batch + row) * shape.Gates * shape.Hidden;
    }

    private float* OutputAt(in RecurrentCall call, int direction, int sequence, int time) => call.Y + (shape.BatchFirst
        ? ((nint)sequence * shape.Length + time) * shape.Directions + direction
        : ((nint)time * shape.Directions + direction) * shape.Batch + sequence) * shape.Hidden;

    private nint Floats(int widths) => (nint)block * shape.Hidden * widths;

    private long Bytes(GemmPlan plan) => shape.Packed ? plan.PackedBBytes : (long)plan.Shape.N * plan.Shape.K * sizeof(float);

    private void PackProduct(GemmPlan plan, float* weights, float* packed)
    {
        if (shape.Packed)
        {
            plan.PackB(weights, 1, plan.Shape.K, packed);
            return;
        }
        for (var k = 0; k < plan.Shape.K; k++)
            for (var j = 0; j < plan.Shape.N; j++) packed[(nint)k * plan.Shape.N + j] = weights[(nint)j * plan.Shape.K + k];
    }

    private static UnaryKernel Function(UnaryKind kind, Target target, RecurrentKernel row)
    {
        foreach (var f in UnaryTable.Of(kind, DType.Float32))
            if (target.Has(f.Needs) && (row.Isa | f.Needs) == row.Isa) return f;
        throw new UnsupportedModelException($"no kernel for {kind} of float32");
    }

    /// <summary>Rehearses a cell with its functions over a few elements, so that its code is compiled before a run needs it.</summary>
    public static void Rehearse(RecurrentCell cell, ReadOnlySpan<CellFunction> functions, RecurrentKernel row)
    {
        const int n = RehearsalMemory.Row;
        using var memory = new RehearsalMemory();
        var shape = new RecurrentShape(cell, 1, 2, 1, n, Packed: false);
        var plan = new RecurrentPlan(shape, functions[..shape.Functions], HostTarget.Current, row);
        var call = new RecurrentCall
        {
            Projected = memory.Floats(2 * shape.Gates * n), Weights = (float*)memory.Bytes(plan.WeightBytes), InitialState = memory.Floats(n),
            Y = memory.Floats(2 * n), LastState = memory.Floats(n), LastCell = memory.Floats(n), Clip = 1,
        };
        var scratch = memory.Bytes(plan.ScratchBytes);
        plan.Run(call, 0, plan.Tasks, scratch);
        call.Peepholes = memory.Floats(3 * n);
        call.CandidateBias = memory.Floats(n);
        plan.Run(call, 0, plan.Tasks, scratch);
    }
}
