using System.Runtime.CompilerServices;
using AiOptix.Kernels.Gemm;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Conv;

/// <summary>
/// Convolution as a product, a group at a time: C[outputs, pixels] = W[outputs, terms] · B[terms, pixels]. B exists only as the panels of a
/// pixel block and a K block in a worker's scratch; weights are packed beforehand.
/// </summary>
internal sealed unsafe class Im2colConv : ConvPlan
{
    private readonly GemmKernel kernel;
    private readonly GemmSplit split;
    private readonly int rowTasks;
    private readonly int columnTasks;
    private readonly bool pointwise;

    public Im2colConv(in ConvShape shape, Target target, string name, GemmKernel kernel) : base(shape, name)
    {
        this.kernel = kernel;
        var product = new GemmShape(shape.GroupOutputs, shape.OutputPixels, shape.Terms, shape.Batch, shape.Groups, PackedA: true);
        split = GemmSplit.Of(product, kernel.Mr, kernel.Nr, target.L1Bytes, target.L2Bytes);
        rowTasks = (product.M + split.RowsATask - 1) / split.RowsATask;
        columnTasks = (product.N + split.ColumnsATask - 1) / split.ColumnsATask;
        pointwise = shape is { Depth.IsIdentity: true, Height.IsIdentity: true, Width.IsIdentity: true };
    }

    public override long PackedWeightBytes => sizeof(float) * (long)Shape.Groups * GroupFloats;

    // Panels of B, the spill tile, and unpacked terms of B for the pixels of a task.
    public override long ScratchBytes => sizeof(float) * ((long)split.Kc * split.ColumnsATask + (long)kernel.Mr * kernel.Nr + Im2colSource.LineFloats(split.ColumnsATask));

    public override int Tasks => checked(rowTasks * columnTasks * Shape.Batch * Shape.Groups);

    private nint GroupFloats => WeightPanels.GroupFloats(Shape, kernel);

    public override void PackWeights(float* weights, float* packed) => WeightPanels.Pack(Shape, kernel, weights, packed);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(in ConvCall call, int firstTask, int endTask, byte* scratch)
    {
        var shape = Shape;
        GemmBlock g = default;
        Im2colSource source = new(&shape);
        Describe(call, &g, (float*)scratch);
        source.Lines = g.Spill + kernel.Mr * kernel.Nr;
        g.BSource = &source;
        g.PackB = pointwise ? &Im2colSource.PackPointwise : &Im2colSource.Pack;
        var tasksAGroup = rowTasks * columnTasks;
        for (var task = firstTask; task < endTask; task++)
        {
            var unit = task / tasksAGroup;
            var inGroup = task - unit * tasksAGroup;
            var columnTask = inGroup / rowTasks;
            var rowTask = inGroup - columnTask * rowTasks;
            var group = unit % Shape.Groups;
            g.Row0 = rowTask * split.RowsATask;
            g.Row1 = Math.Min(Shape.GroupOutputs, g.Row0 + split.RowsATask);
            g.Column0 = columnTask * split.ColumnsATask;
            g.Column1 = Math.Min(Shape.OutputPixels, g.Column0 + split.ColumnsATask);
            g.APanels = call.PackedWeights + group * GroupFloats;
            source.X = call.X + (nint)unit * Shape.GroupChannels * Shape.InputPixels;
            g.BDirect = pointwise && g.Row1 - g.Row0 <= kernel.Mr ? source.X : null;
            var first = (nint)unit * Shape.GroupOutputs * Shape.OutputPixels;
            g.C = call.Y + first;
            if (call.Bias != null) g.Epilogue.RowBias = call.Bias + (nint)group * Shape.GroupOutputs;
            if (call.Residual != null) g.Epilogue.Residual = call.Residual + first;
            GemmBlock.Run(&g);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Describe(in ConvCall call, GemmBlock* g, float* scratch)
    {
        g->Tile = kernel.Tile;
        g->Finish = kernel.EpilogueFor(call.Activation);
        (g->Mr, g->Nr, g->ColumnStep) = (kernel.Mr, kernel.Nr, kernel.ColumnStep);
        (g->K, g->Kc) = (Shape.Terms, split.Kc);
        g->Ldc = g->BDirectStride = Shape.OutputPixels;
        g->Epilogue.ResidualStride = Shape.OutputPixels;
        g->Epilogue.RowBiasStride = 1;
        g->Epilogue.Alpha = 1f;
        g->Epilogue.Args = call.Args;
        g->HasEpilogue = call.Bias != null || call.Residual != null || call.Activation != Vectors.Activation.None;
        g->BScratch = scratch;
        g->Spill = scratch + (nint)split.Kc * split.ColumnsATask;
    }
}
