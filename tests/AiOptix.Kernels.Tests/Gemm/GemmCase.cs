using AiOptix.Kernels.Gemm;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Tests.Gemm;

/// <summary>Changes floats.</summary>
internal delegate void SpanAction(Span<float> floats);

/// <summary>A product with everything a call may carry, over buffers that end at inaccessible pages.</summary>
internal sealed unsafe class GemmCase : IDisposable
{
    private readonly GuardedBuffer a;
    private readonly GuardedBuffer b;
    private readonly GuardedBuffer rowBias;
    private readonly GuardedBuffer columnBias;
    private readonly GuardedBuffer residual;
    private readonly bool transposedA;
    private readonly bool transposedB;
    private readonly bool sharedB;

    public GemmCase(Random random, GemmShape shape, bool transposedA, bool transposedB, bool biases, Activation activation)
    {
        Shape = shape;
        (this.transposedA, this.transposedB, Biases, Activation) = (transposedA, transposedB, biases, activation);
        sharedB = random.Next(2) == 0;
        a = Fill(random, (long)shape.Batch * shape.M * shape.K);
        b = Fill(random, (long)(sharedB ? 1 : shape.Batch) * shape.K * shape.N);
        rowBias = Fill(random, shape.M);
        columnBias = Fill(random, shape.N);
        residual = Fill(random, (long)shape.Batch * shape.M * shape.N);
        Alpha = biases ? 0.75f : 1f;
    }

    public GemmShape Shape { get; }

    public bool Biases { get; }

    public Activation Activation { get; }

    public float Alpha { get; }

    public Span<float> A => a.Span;

    public Span<float> B => b.Span;

    /// <summary>Whether biases include those of rows.</summary>
    public bool RowBiases { get; init; } = true;

    /// <summary>Done to a packed B before it is used.</summary>
    public SpanAction? Damage { get; init; }

    public override string ToString() => $"{Shape} transposed {transposedA} {transposedB}, biases {Biases} {RowBiases}, {Activation}";

    public float[] Run(GemmKernel kernel, bool packedA, bool packedB, int tasksAtOnce, Target? target = null, bool compactB = false, bool backwards = false)
    {
        var shape = Shape with { PackedA = packedA, PackedB = packedB, CompactB = compactB };
        var plan = new GemmPlan(shape, target ?? HostTarget.Current, kernel);
        int m = shape.M, n = shape.N, k = shape.K, batch = shape.Batch;
        using var c = new GuardedBuffer((long)batch * m * n);
        c.Span.Fill(float.NaN);
        using var packA = new GuardedBuffer(packedA ? batch * plan.PackedABytes / 4 : 0);
        using var packB = new GuardedBuffer(packedB ? (sharedB ? 1 : batch) * plan.PackedBBytes / 4 : 0);
        using var scratch = new GuardedBuffer(plan.ScratchBytes / 4);
        var call = new GemmCall
        {
            A = a.Pointer, ARowStride = transposedA ? 1 : k, AColumnStride = transposedA ? m : 1,
            B = b.Pointer, BRowStride = transposedB ? 1 : n, BColumnStride = transposedB ? k : 1,
            C = c.Pointer, CRowStride = n, CBatchStride1 = (nint)shape.Batch2 * m * n, CBatchStride2 = (nint)m * n,
            Alpha = Alpha, Activation = Activation, Args = new(0.1f, 1.2f), Backwards = backwards,
        };
        nint aFloats = packedA ? (nint)plan.PackedABytes / 4 : (nint)m * k, bFloats = packedB ? (nint)plan.PackedBBytes / 4 : (nint)k * n;
        (call.ABatchStride1, call.ABatchStride2) = (shape.Batch2 * aFloats, aFloats);
        (call.BBatchStride1, call.BBatchStride2) = sharedB ? (0, 0) : (shape.Batch2 * bFloats, bFloats);
        if (packedA)
        {
            for (var i = 0; i < batch; i++) plan.PackA(a.Pointer + (nint)i * m * k, call.ARowStride, call.AColumnStride, packA.Pointer + i * aFloats);
            call.A = packA.Pointer;
        }
        if (packedB)
        {
            for (var i = 0; i < (sharedB ? 1 : batch); i++) plan.PackB(b.Pointer + (nint)i * k * n, call.BRowStride, call.BColumnStride, packB.Pointer + i * bFloats);
            call.B = packB.Pointer;
            Damage?.Invoke(packB.Span);
        }
        if (Biases)
        {
            if (RowBiases) call.RowBias = rowBias.Pointer;
            call.ColumnBias = columnBias.Pointer;
            call.Residual = residual.Pointer;
            (call.ResidualRowStride, call.ResidualBatchStride1, call.ResidualBatchStride2) = (n, call.CBatchStride1, call.CBatchStride2);
        }
        for (var task = plan.Tasks - 1; task >= 0; task -= tasksAtOnce)
            plan.Run(call, Math.Max(0, task - tasksAtOnce + 1), task + 1, (byte*)scratch.Pointer);
        return c.Span.ToArray();
    }

    /// <summary>The sums in f64 and by a naive float32 loop, without epilogue, for batch 0.</summary>
    public (double[] Exact, float[] Naive) Sums()
    {
        int m = Shape.M, n = Shape.N, k = Shape.K;
        var exact = new double[m * n];
        var naive = new float[m * n];
        for (var i = 0; i < m; i++)
        {
            for (var j = 0; j < n; j++)
            {
                for (var p = 0; p < k; p++)
                {
                    var x = a.Span[transposedA ? p * m + i : i * k + p];
                    var y = b.Span[transposedB ? j * k + p : p * n + j];
                    exact[i * n + j] += (double)x * y;
                    naive[i * n + j] += x * y;
                }
            }
        }
        return (exact, naive);
    }

    public void Dispose()
    {
        foreach (var buffer in (GuardedBuffer[])[a, b, rowBias, columnBias, residual]) buffer.Dispose();
    }

    private static GuardedBuffer Fill(Random random, long n)
    {
        var buffer = new GuardedBuffer(n);
        foreach (ref var v in buffer.Span) v = random.NextSingle() - 0.5f;
        return buffer;
    }
}
