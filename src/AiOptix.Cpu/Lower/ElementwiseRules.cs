using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Kernels.Elementwise;
using AiOptix.Kernels.Loops;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>Functions of one, two or three elements, with broadcasting; each for the types that its kernel table has rows for.</summary>
internal static unsafe class ElementwiseRules
{
    /// <summary>A rule for an activation, by its parameters.</summary>
    public static bool Activation(Lowering lowering, Node node) =>
        Activations.Of(node) is { } a ? Unary(lowering, node, UnaryKinds.Of(a.Activation), a.Args) : node.Operator is Relu && Unary(lowering, node, UnaryKind.Relu, default);

    /// <summary>A rule for a function without parameters.</summary>
    public static LoweringRule Unary(UnaryKind kind) => (lowering, node) => Unary(lowering, node, kind, default);

    /// <summary>A rule for a function of two arguments.</summary>
    public static LoweringRule Binary(BinaryKind kind) => (lowering, node) => Binary(lowering, node, kind);

    /// <summary>Sum, Min or Max of any number of arguments.</summary>
    public static LoweringRule Variadic(BinaryKind kind) => (lowering, node) => Chain(lowering, node, [.. node.Inputs.Skip(1).Select(i => (kind, i!))]);

    public static bool Celu(Lowering lowering, Node node) => Unary(lowering, node, UnaryKind.Celu, new(((Celu)node.Operator).Alpha));

    public static bool ThresholdedRelu(Lowering lowering, Node node) => Unary(lowering, node, UnaryKind.ThresholdedRelu, new(((ThresholdedRelu)node.Operator).Alpha));

    public static bool IsNaN(Lowering lowering, Node node) => FloatTest(lowering, node, 0, 0, isNaN: true);

    public static bool IsInf(Lowering lowering, Node node)
    {
        var op = (IsInf)node.Operator;
        return FloatTest(lowering, node, op.DetectPositive ? double.PositiveInfinity : double.NaN, op.DetectNegative ? double.NegativeInfinity : double.NaN, isNaN: false);
    }

    /// <summary>The sum over the number of arguments.</summary>
    public static bool Mean(Lowering lowering, Node node)
    {
        if (node.Output.DType != DType.Float32 || node.Inputs.Any(i => i!.DType != DType.Float32)) return false;
        if (node.Inputs.Count == 1) return Unary(lowering, node, UnaryKind.None, default);
        var sum = lowering.Between(node, new(DType.Float32, node.Output.Shape!));
        if (!Chain(lowering, node, [.. node.Inputs.Skip(1).Select(i => (BinaryKind.Add, i!))], sum)) return false;
        return Unary(lowering, node, UnaryKind.Affine, new(1f / node.Inputs.Count, -0f), sum);
    }

    /// <summary>The node's output: what lies in a slot plus factor · addend, in float32.</summary>
    public static void AddScaled(Lowering lowering, Node node, int slot, Value addend, float factor)
    {
        var other = lowering.Slot(addend);
        if (factor != 1)
        {
            var scaled = lowering.Between(node, new(DType.Float32, addend.Shape!));
            Unary(lowering, node, UnaryTable.Select(UnaryKind.Affine, DType.Float32, lowering.Target)!.Value, new(factor, -0f), other, scaled);
            other = scaled;
        }
        Binary(lowering, node, BinaryTable.Select(BinaryKind.Add, DType.Float32, lowering.Target)!.Value, slot, other, lowering.Slot(node.Output));
    }

    private static bool FloatTest(Lowering lowering, Node node, double first, double second, bool isNaN)
    {
        var type = node.Inputs[0]!.DType;
        if (FloatTestPlan.Create(new(type, isNaN, first, second, 0)) is null) return false;
        var (x, y) = (lowering.Slot(node.Inputs[0]!), lowering.Slot(node.Output));
        lowering.Prepare($"float test {type}", () => FloatTestPlan.Rehearse(type));
        lowering.Emit(node, [x], context =>
        {
            var plan = FloatTestPlan.Create(new(type, isNaN, first, second, context.Shape(y).Count))!;
            return new PlanTasks((s, from, to, _) => plan.Run((byte*)s[x], (byte*)s[y], from, to)) { Kernel = plan.KernelName, Tasks = plan.Tasks };
        });
        return true;
    }

    /// <summary>Limits that are constants are an activation; others, and those of other types, a maximum and a minimum.</summary>
    public static bool Clip(Lowering lowering, Node node)
    {
        if (Activation(lowering, node)) return true;
        var limits = new List<(BinaryKind, Value)>();
        if (node.Input(1) is { } least) limits.Add((BinaryKind.Max, least));
        if (node.Input(2) is { } most) limits.Add((BinaryKind.Min, most));
        return Chain(lowering, node, limits);
    }

    /// <summary>A power whose exponent is one constant may be a plainer function.</summary>
    public static bool Pow(Lowering lowering, Node node)
    {
        var exponent = node.Inputs[1]!;
        if (node.Output.DType == DType.Float32 && exponent is { DType: DType.Float32, Constant: { Count: 1 } c } && node.Output.Shape!.Equals(node.Inputs[0]!.Shape))
        {
            var kind = UnaryKinds.OfPower(c.Span<float>()[0]);
            GC.KeepAlive(c);
            if (kind is { } k) return Unary(lowering, node, k, default);
        }
        return Binary(lowering, node, BinaryKind.Pow);
    }

    public static bool BitShift(Lowering lowering, Node node) => Binary(lowering, node, ((BitShift)node.Operator).Left ? BinaryKind.ShiftLeft : BinaryKind.ShiftRight);

    public static bool Mod(Lowering lowering, Node node) => Binary(lowering, node, ((Mod)node.Operator).Truncated ? BinaryKind.FMod : BinaryKind.Mod);

    public static bool Where(Lowering lowering, Node node)
    {
        if (!MovementRules.IsBytes(node.Output.DType) || node.Output.DType.Bits() > 64) return false;
        var (c, a, b, y) = (lowering.Slot(node.Inputs[0]!), lowering.Slot(node.Inputs[1]!), lowering.Slot(node.Inputs[2]!), lowering.Slot(node.Output));
        var size = node.Output.DType.Bits() / 8;
        var target = lowering.Target;
        lowering.Prepare($"where {size}", () => WherePlan.Rehearse(size, target));
        lowering.Emit(node, [c, a, b], context =>
        {
            var shape = context.Shape(y);
            var plan = new WherePlan(new(size, shape.Dims.ToArray(), Broadcasting.Strides(context.Shape(c), shape), Broadcasting.Strides(context.Shape(a), shape),
                Broadcasting.Strides(context.Shape(b), shape)), target);
            return new PlanTasks((s, from, to, _) => plan.Run((byte*)s[c], (byte*)s[a], (byte*)s[b], (byte*)s[y], from, to)) { Kernel = plan.KernelName, Tasks = plan.Tasks };
        });
        return true;
    }

    private static bool Unary(Lowering lowering, Node node, UnaryKind kind, ActivationArgs args, int? from = null)
    {
        var type = node.Inputs[0]!.DType;
        if (UnaryTable.Select(kind, type, lowering.Target) is not { } row) return false;
        Unary(lowering, node, row, args, from ?? lowering.Slot(node.Inputs[0]!), lowering.Slot(node.Output));
        return true;
    }

    private static void Unary(Lowering lowering, Node node, UnaryKernel row, ActivationArgs args, int x, int y)
    {
        var (kind, type, target) = (row.Kind, row.Type, lowering.Target);
        lowering.Prepare(row.Name, () => UnaryPlan.Rehearse(row));
        lowering.Emit(node, [x], [y], context =>
        {
            var plan = new UnaryPlan(kind, type, args, context.Shape(y).Count, target, row);
            return new PlanTasks((s, from, to, _) => plan.Run((byte*)s[x], (byte*)s[y], from, to)) { Kernel = plan.Kernel.Name, Tasks = plan.Tasks };
        });
    }

    private static bool Binary(Lowering lowering, Node node, BinaryKind kind)
    {
        var type = node.Inputs[0]!.DType;
        if (node.Inputs[1]!.DType != type || BinaryTable.Select(kind, type, lowering.Target) is not { } row) return false;
        var divides = kind is BinaryKind.Div or BinaryKind.Mod or BinaryKind.FMod && type.IsInteger() && node.Inputs[1]!.Constant?.ToInt64().Contains(0) != false;
        Binary(lowering, node, row, lowering.Slot(node.Inputs[0]!), lowering.Slot(node.Inputs[1]!), lowering.Slot(node.Output), divides);
        return true;
    }

    private static void Binary(Lowering lowering, Node node, BinaryKernel row, int a, int b, int y, bool divides = false)
    {
        var (kind, type) = (row.Kind, row.Type);
        var target = lowering.Target;
        lowering.Prepare(row.Name, () => BinaryPlan.Rehearse(row));
        lowering.Emit(node, [a, b], [y], context =>
        {
            var shape = context.Shape(y);
            var plan = new BinaryPlan(new(kind, type, shape.Dims.ToArray(), Broadcasting.Strides(context.Shape(a), shape), Broadcasting.Strides(context.Shape(b), shape)), target, row);
            FaultCheck? fault = null;
            if (divides && shape.Count > 0)
            {
                var divisors = context.Shape(b).Count;
                fault = s => HoldsZero((byte*)s[b], divisors, type) ? "input 1 holds 0: an integer cannot be divided by 0" : null;
            }
            return new PlanTasks((s, from, to, _) => plan.Run((byte*)s[a], (byte*)s[b], (byte*)s[y], from, to), fault) { Kernel = plan.Kernel.Name, Tasks = plan.Tasks };
        });
    }

    /// <summary>Functions of two arguments one behind the other: what came out so far and the next operand.</summary>
    private static bool Chain(Lowering lowering, Node node, IReadOnlyList<(BinaryKind Kind, Value Operand)> links, int? into = null)
    {
        var first = node.Inputs[0]!;
        var type = first.DType;
        var kernels = links.Select(l => l.Operand.DType == type ? BinaryTable.Select(l.Kind, type, lowering.Target) : null).ToArray();
        if (kernels.Any(k => k is null)) return false;
        var shapes = new List<SymbolicShape>();
        foreach (var (_, operand) in links)
        {
            if (SymbolicShape.Broadcast(shapes.Count == 0 ? first.Shape! : shapes[^1], operand.Shape!) is not { } shape) return false;
            shapes.Add(shape);
        }
        if (links.Count == 0)
        {
            lowering.Alias(node, node.Output, first);
            return true;
        }
        if (shapes[^1].Rank != node.Output.Shape!.Rank) return false;
        var result = lowering.Slot(first);
        for (var i = 0; i < links.Count; i++)
        {
            var next = i == links.Count - 1 ? into ?? lowering.Slot(node.Output) : lowering.Between(node, new(type, shapes[i]));
            Binary(lowering, node, kernels[i]!.Value, result, lowering.Slot(links[i].Operand), next);
            result = next;
        }
        return true;
    }

    private static bool HoldsZero(byte* elements, long count, DType type) => (type.Bits() / 8) switch
    {
        1 => HoldsZero(elements, count),
        2 => HoldsZero((ushort*)elements, count),
        4 => HoldsZero((uint*)elements, count),
        _ => HoldsZero((ulong*)elements, count),
    };

    private static bool HoldsZero<T>(T* elements, long count) where T : unmanaged, IEquatable<T>
    {
        for (; count > 0; elements += int.MaxValue, count -= int.MaxValue)
            if (new ReadOnlySpan<T>(elements, (int)Math.Min(count, int.MaxValue)).Contains(default)) return true;
        return false;
    }
}
