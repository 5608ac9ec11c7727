using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Kernels.Elementwise;
using AiOptix.Kernels.Gemm;
using AiOptix.Kernels.Recurrent;
using AiOptix.Kernels.Vectors;
using AiOptix.Runtime;
using AiOptix.Tensors;
using Cell = AiOptix.Kernels.Recurrent.RecurrentCell;

namespace AiOptix.Cpu.Lower;

/// <summary>
/// RNN, GRU and LSTM in float32 with constant weights, as two steps: the inputs of all steps in time times their weights in one product, and the recurrence.
/// </summary>
internal static unsafe class RecurrentRules
{
    public static bool Layer(Lowering lowering, Node node)
    {
        var op = (Recurrent)node.Operator;
        if (node.Inputs[0]!.DType != DType.Float32 || node.Inputs[1]!.Constant is not { } w || node.Inputs[2]!.Constant is not { } r) return false;
        if (node.Input(3) is { IsConstant: false } || node.Input(7) is { IsConstant: false }) return false;
        var each = op.DefaultActivations.Count;
        var cells = new CellFunction[op.Directions * each];
        for (var i = 0; i < cells.Length; i++)
        {
            if (Function(op.ActivationsOf(i / each)[i % each]) is not { } function) return false;
            cells[i] = function;
        }
        var between = Project(lowering, node, op, w);
        Recur(lowering, node, op, r, between, cells);
        return true;
    }

    /// <summary>x·Wᵀ of every step and direction, with both biases where they can be added here.</summary>
    private static int Project(Lowering lowering, Node node, Recurrent op, Tensor w)
    {
        var input = node.Inputs[0]!.Shape!;
        var (directions, columns, width) = (op.Directions, checked((int)w.Shape[1]), checked((int)w.Shape[2]));
        var isRow = (input[0] * input[1]).Constant == 1;
        var target = lowering.Target;
        var form = new GemmShape(2, columns, width, PackedB: true);
        var plan = new GemmPlan(form, target);
        var one = isRow ? (long)columns * width * sizeof(float) : plan.PackedBBytes;
        var weights = lowering.Pack(isRow ? $"rows {form}" : $"{plan.Kernel.Name} {form}", one * directions, packed =>
        {
            for (var d = 0; d < directions; d++)
            {
                var from = (float*)w.Pointer + (nint)d * columns * width;
                var to = (float*)(packed + d * one);
                if (!isRow) plan.PackB(from, 1, width, to);
                else
                    for (var k = 0; k < width; k++)
                        for (var j = 0; j < columns; j++) to[(nint)k * columns + j] = from[(nint)j * width + k];
            }
        }, w);
        var bias = ProjectedBias(node, op, columns);
        var x = lowering.Slot(node.Inputs[0]!);
        var y = lowering.Between(node, new(DType.Float32, new(directions, input[0], input[1], columns)));
        var shape = new GemmShape(isRow ? 1 : 0, columns, 0, PackedB: !isRow);
        lowering.Prepare($"recurrent product {shape}", () => GemmPlan.Rehearse(shape, columnsOfA: true, columnsOfB: true, Activation.None, target));
        var step = new PlanStep(node.Name, [x], [y], context =>
        {
            var s = context.Shape(x);
            var bound = new GemmPlan(new GemmShape(checked((int)(s[0] * s[1])), columns, width, Batch1: directions, PackedB: !isRow), target);
            var template = new GemmCall
            {
                ARowStride = width, BRowStride = columns, BBatchStride1 = (nint)(one / sizeof(float)), CRowStride = columns, CBatchStride1 = (nint)(s[0] * s[1]) * columns,
                ResidualBatchStride1 = columns,
            };
            return new PlanTasks((slots, from, to, scratch) =>
            {
                var call = template;
                call.A = (float*)slots[x];
                call.B = (float*)weights.Pointer;
                call.C = (float*)slots[y];
                call.Residual = bias is null ? null : (float*)bias.Pointer;
                bound.Run(call, from, to, scratch);
            })
            {
                Kernel = bound.Kernel.Name,
                Tasks = bound.Tasks,
                ScratchBytes = bound.ScratchBytes,
            };
        }) { Operation = node.Operator.Name, Origins = node.Origins, Weights = weights.Length };
        lowering.Emit(step);
        return y;
    }

    private static void Recur(Lowering lowering, Node node, Recurrent op, Tensor r, int between, CellFunction[] functions)
    {
        var cell = op switch
        {
            RNN => Cell.Rnn,
            GRU { LinearBeforeReset: true } => Cell.Gru,
            GRU => Cell.GruResetFirst,
            LSTM { InputForget: true } => Cell.LstmCoupled,
            _ => Cell.Lstm,
        };
        var input = node.Inputs[0]!.Shape!;
        var batch = op.BatchFirst ? input[0] : input[1];
        var target = lowering.Target;
        var form = new RecurrentShape(cell, op.Directions, 0, checked((int)(batch.Constant ?? 0)), checked((int)r.Shape[2]), op.IsReverse(0), op.BatchFirst, Packed: batch.Constant != 1);
        var pack = new RecurrentPlan(form, functions, target);
        var weights = lowering.Pack($"{pack.Kernel.Name} {form}", pack.WeightBytes, to => pack.Pack((float*)r.Pointer, (float*)to), r);
        var candidateBias = cell == Cell.Gru && node.Input(3) is { Constant: { } b } ? CandidateBias(b, form.Hidden) : null;
        var peepholes = node.Input(7)?.Constant;
        int Slot(int i) => node.Input(i) is { } v ? lowering.Slot(v) : -1;
        int Output(int i) => i < node.Outputs.Count ? lowering.Slot(node.Outputs[i]) : -1;
        var (lengths, state, memory) = (Slot(4), Slot(5), Slot(6));
        var (y, last, lastCell) = (Output(0), Output(1), Output(2));
        Prepare(lowering, form, functions);
        var inputs = Array.FindAll([between, lengths, state, memory], s => s >= 0).DistinctFew();
        var step = new PlanStep(node.Name, inputs, lowering.Slots(node.Outputs), context =>
        {
            var p = context.Shape(between);
            var (length, sequences) = op.BatchFirst ? (p[2], p[1]) : (p[1], p[2]);
            var shape = form with { Length = checked((int)length), Batch = checked((int)sequences) };
            var plan = new RecurrentPlan(shape, functions, target);
            return new PlanTasks((slots, from, to, scratch) =>
            {
                var call = new RecurrentCall
                {
                    Projected = (float*)slots[between],
                    Weights = (float*)weights.Pointer,
                    CandidateBias = candidateBias is null ? null : (float*)candidateBias.Pointer,
                    Peepholes = peepholes is null ? null : (float*)peepholes.Pointer,
                    Lengths = lengths < 0 ? null : (int*)slots[lengths],
                    InitialState = state < 0 ? null : (float*)slots[state],
                    InitialCell = memory < 0 ? null : (float*)slots[memory],
                    Y = (float*)slots[y],
                    LastState = last < 0 ? null : (float*)slots[last],
                    LastCell = lastCell < 0 ? null : (float*)slots[lastCell],
                    Clip = op.Clip is > 0 ? op.Clip.Value : float.PositiveInfinity,
                };
                plan.Run(call, from, to, scratch);
            }, slots => lengths < 0 ? null : Fault((int*)slots[lengths], shape))
            {
                Kernel = plan.Kernel.Name,
                Tasks = plan.Tasks,
                ScratchBytes = plan.ScratchBytes,
            };
        }) { Operation = node.Operator.Name, Origins = node.Origins, Weights = weights.Length };
        lowering.Emit(step);
    }

    private static void Prepare(Lowering lowering, RecurrentShape form, CellFunction[] functions)
    {
        var target = lowering.Target;
        var row = RecurrentTable.Select(target);
        lowering.Prepare($"{row.Name} {(int)form.Cell} {string.Join(" ", functions.Select(f => $"{(int)f.Kind} {f.Args}"))}", () => RecurrentPlan.Rehearse(form.Cell, functions, row));
        int[] columns = form.Cell == Cell.GruResetFirst ? [2 * form.Hidden, form.Hidden] : [form.Gates * form.Hidden];
        foreach (var n in columns)
        {
            var shape = new GemmShape(form.Batch, n, 0, PackedB: form.Packed);
            lowering.Prepare($"recurrent state product {shape}", () => GemmPlan.Rehearse(shape, columnsOfA: true, columnsOfB: true, null, target, row.Gemm));
        }
    }

    /// <summary>The sums of both biases, but for a GRU that multiplies the second one of its candidate with a gate.</summary>
    private static Tensor? ProjectedBias(Node node, Recurrent op, int columns)
    {
        if (node.Input(3)?.Constant is not { } b) return null;
        var from = b.Span<float>();
        var sums = Tensor.Allocate(DType.Float32, new Shape(op.Directions, columns));
        var to = sums.Span<float>();
        var keeps = op is GRU { LinearBeforeReset: true } ? columns / 3 * 2 : columns;
        for (var d = 0; d < op.Directions; d++)
            for (var j = 0; j < columns; j++) to[d * columns + j] = from[2 * d * columns + j] + (j < keeps ? from[(2 * d + 1) * columns + j] : 0);
        GC.KeepAlive(b);
        return sums;
    }

    private static Tensor CandidateBias(Tensor b, int hidden)
    {
        var directions = (int)b.Shape[0];
        var result = Tensor.Allocate(DType.Float32, new Shape(directions, hidden));
        for (var d = 0; d < directions; d++) b.Span<float>().Slice((6 * d + 5) * hidden, hidden).CopyTo(result.Span<float>()[(d * hidden)..]);
        GC.KeepAlive(b);
        return result;
    }

    /// <summary>The kernel function that is exactly the layer's, or null.</summary>
    private static CellFunction? Function(RecurrentActivation a) => a.Function switch
    {
        RecurrentFunction.Sigmoid => new(UnaryKind.Sigmoid, default),
        RecurrentFunction.Tanh => new(UnaryKind.Tanh, default),
        RecurrentFunction.Relu => new(UnaryKind.Relu, default),
        RecurrentFunction.LeakyRelu => new(UnaryKind.LeakyRelu, new(a.Alpha)),
        RecurrentFunction.HardSigmoid => new(UnaryKind.HardSigmoid, new(a.Alpha, a.Beta)),
        RecurrentFunction.Elu => new(UnaryKind.Elu, new(a.Alpha)),
        RecurrentFunction.Softsign => new(UnaryKind.Softsign, default),
        RecurrentFunction.Softplus => new(UnaryKind.Softplus, default),
        _ => null,
    };

    private static string? Fault(int* lengths, RecurrentShape shape)
    {
        for (var b = 0; b < shape.Batch; b++)
            if (lengths[b] < 0 || lengths[b] > shape.Length) return $"sequence_lens[{b}] is {lengths[b]}; it must be within 0 and {shape.Length}";
        return null;
    }
}
