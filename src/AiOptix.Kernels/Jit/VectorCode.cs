namespace AiOptix.Kernels.Jit;

/// <summary>What an instruction of a <see cref="VectorCode"/> is.</summary>
internal enum VectorForm
{
    /// <summary>First from second and third.</summary>
    Plain,
    /// <summary>The mask from second and third.</summary>
    Compare,
    /// <summary>Third where the mask is set, otherwise second.</summary>
    Choose,
    /// <summary>First from third, shifted by the immediate.</summary>
    ShiftLeft,
    /// <summary>The same to the right, with copies of the sign.</summary>
    ShiftRight,
}

/// <summary>An instruction of a <see cref="VectorCode"/>.</summary>
/// <param name="Form">What it is.</param>
/// <param name="Op">The instruction of the machine.</param>
/// <param name="First">The register of the result.</param>
/// <param name="Second">A register, or 0 where it has none.</param>
/// <param name="Third">A register; -1 for a number.</param>
/// <param name="Number">The place of the number, or -1.</param>
/// <param name="Immediate">The immediate, or -1.</param>
internal readonly record struct VectorInstruction(VectorForm Form, VectorOp Op, int First, int Second, int Third, int Number = -1, int Immediate = -1);

/// <summary>
/// A traced function as instructions over few registers: register 0 holds the argument and in the end the result, others are its own. Numbers are operands in memory. An instruction computes what
/// <see cref="Vectors.V16"/> computes for the step, bit by bit.
/// </summary>
internal sealed class VectorCode
{
    private const int Less = 1, Equal = 0, Not = 4;

    private readonly VectorTrace trace;
    private readonly List<VectorInstruction> instructions = [];
    private readonly List<int> numbers = [];
    private readonly Dictionary<int, int> registers = new() { [0] = 0 };
    private readonly Dictionary<int, int> lastUses = [];
    private readonly List<int> free = [];
    private int place;

    /// <summary>Puts a traced function into instructions.</summary>
    public VectorCode(VectorTrace trace)
    {
        this.trace = trace;
        var needed = Needed();
        for (place = 0; place < needed.Length; place++)
        {
            if (!needed[place]) continue;
            if (trace[place].Step is VectorStep.Argument or VectorStep.Number) continue;
            registers[place] = Write(trace[place]);
            foreach (var o in trace[place].Operands.DistinctFew())
                if (IsDead(o) && registers[o] != registers[place]) free.Add(registers[o]);
        }
        if (registers[trace.Result] != 0) instructions.Add(new(VectorForm.Plain, VectorOp.Move, 0, 0, registers[trace.Result]));
        Instructions = instructions.ToArray();
    }

    /// <summary>The instructions, in order.</summary>
    public VectorInstruction[] Instructions { get; }

    /// <summary>Registers besides the argument's.</summary>
    public int Temporaries { get; private set; }

    /// <summary>The bits of the numbers that instructions name by their places.</summary>
    public IReadOnlyList<int> Numbers => numbers;

    private bool[] Needed()
    {
        var needed = new bool[trace.Count];
        var open = new Stack<int>([trace.Result]);
        lastUses[trace.Result] = int.MaxValue;
        while (open.TryPop(out var next))
        {
            if (needed[next]) continue;
            needed[next] = true;
            foreach (var o in trace[next].Operands)
            {
                lastUses[o] = Math.Max(lastUses.GetValueOrDefault(o), next);
                open.Push(o);
            }
        }
        return needed;
    }

    private int Write(TracedStep s) => s.Step switch
    {
        VectorStep.Add => Commuting(VectorOp.Add, s),
        VectorStep.Multiply => Commuting(VectorOp.Multiply, s),
        VectorStep.And => Commuting(VectorOp.And, s),
        VectorStep.Or => Commuting(VectorOp.Or, s),
        VectorStep.Xor => Commuting(VectorOp.Xor, s),
        VectorStep.Subtract => Binary(VectorOp.Subtract, s.A, s.B),
        VectorStep.Divide => Binary(VectorOp.Divide, s.A, s.B),
        VectorStep.Min => Binary(VectorOp.Min, s.A, s.B),
        VectorStep.Max => Binary(VectorOp.Max, s.A, s.B),
        VectorStep.Scale => Binary(VectorOp.Scale, s.A, s.B),
        VectorStep.SubtractInts => Binary(VectorOp.SubtractInts, s.A, s.B),
        VectorStep.Sqrt => Unary(VectorForm.Plain, VectorOp.Sqrt, s.A),
        VectorStep.ToFloats => Unary(VectorForm.Plain, VectorOp.ToFloats, s.A),
        VectorStep.Round => Unary(VectorForm.Plain, VectorOp.Round, s.A, 0),
        VectorStep.Floor => Unary(VectorForm.Plain, VectorOp.Round, s.A, 1),
        VectorStep.ExponentBits => Unary(VectorForm.ShiftRight, default, s.A, 23),
        VectorStep.BitsOfExponent => Unary(VectorForm.ShiftLeft, default, s.A, 23),
        VectorStep.IfLess => Choice(s, Less),
        VectorStep.IfEqual => Choice(s, Equal),
        _ => MultiplyAdd(s.A, s.B, s.C),
    };

    private bool IsNumber(int value) => trace[value].Step == VectorStep.Number;

    private bool IsDead(int value) => !IsNumber(value) && lastUses[value] == place;

    // A dead operand's register, else a new one.
    private int Result(params ReadOnlySpan<int> operands)
    {
        foreach (var o in operands)
            if (IsDead(o)) return registers[o];
        return New();
    }

    private int New()
    {
        if (free.Count == 0) return ++Temporaries;
        var least = 0;
        for (var i = 1; i < free.Count; i++)
            if (free[i] < free[least]) least = i;
        var register = free[least];
        free.RemoveAt(least);
        return register;
    }

    private int Commuting(VectorOp op, TracedStep s) => IsNumber(s.A) && !IsNumber(s.B) ? Binary(op, s.B, s.A) : Binary(op, s.A, s.B);

    private int Binary(VectorOp op, int a, int b)
    {
        // Only the last operand may lie in memory.
        var to = IsNumber(a) ? Loaded(a) : Result(a, b);
        Emit(VectorForm.Plain, op, to, IsNumber(a) ? to : registers[a], b);
        return to;
    }

    private int Unary(VectorForm form, VectorOp op, int a, int immediate = -1)
    {
        var to = Result(a);
        Emit(form, op, to, 0, a, immediate);
        return to;
    }

    private int Choice(TracedStep s, int predicate)
    {
        // The value for lanes outside the mask must be in a register.
        var (yes, no) = (s.C, s.D);
        if (IsNumber(no) && !IsNumber(yes)) (yes, no, predicate) = (no, yes, predicate | Not);
        var scratch = IsNumber(s.A) ? Loaded(s.A) : -1;
        Emit(VectorForm.Compare, VectorOp.Compare, 0, scratch < 0 ? registers[s.A] : scratch, s.B, predicate);
        if (scratch >= 0) free.Add(scratch);
        var other = IsNumber(no) ? Loaded(no) : registers[no];
        var to = IsNumber(no) ? other : Result(s.A, s.B, yes, no);
        Emit(VectorForm.Choose, VectorOp.Choose, to, other, yes);
        return to;
    }

    private int MultiplyAdd(int a, int b, int c)
    {
        if (IsNumber(a)) (a, b) = (b, a);
        if (IsNumber(a))
        {
            // Both factors are numbers: one goes through a register.
            var to = IsNumber(c) ? Loaded(c) : Copied(c);
            var factor = Loaded(a);
            Emit(VectorForm.Plain, VectorOp.MultiplyAdd231, to, factor, b);
            free.Add(factor);
            return to;
        }
        if (IsNumber(b))
        {
            if (!IsNumber(c) && IsDead(c)) return Fused(VectorOp.MultiplyAdd231, registers[c], registers[a], b);
            if (!IsNumber(c) && IsDead(a)) return Fused(VectorOp.MultiplyAdd132, registers[a], registers[c], b);
            return Fused(VectorOp.MultiplyAdd213, Loaded(b), registers[a], c);
        }
        if (IsNumber(c))
        {
            if (!IsDead(a) && IsDead(b)) (a, b) = (b, a);
            return IsDead(a) ? Fused(VectorOp.MultiplyAdd213, registers[a], registers[b], c) : Fused(VectorOp.MultiplyAdd231, Loaded(c), registers[a], b);
        }
        if (!IsDead(c) && !IsDead(a) && IsDead(b)) (a, b) = (b, a);
        return !IsDead(c) && IsDead(a) ? Fused(VectorOp.MultiplyAdd213, registers[a], registers[b], c) : Fused(VectorOp.MultiplyAdd231, IsDead(c) ? registers[c] : Copied(c), registers[a], b);
    }

    private int Fused(VectorOp op, int to, int second, int third)
    {
        Emit(VectorForm.Plain, op, to, second, third);
        return to;
    }

    private int Loaded(int number)
    {
        var to = New();
        Emit(VectorForm.Plain, VectorOp.Broadcast, to, 0, number);
        return to;
    }

    private int Copied(int value)
    {
        var to = New();
        Emit(VectorForm.Plain, VectorOp.Move, to, 0, value);
        return to;
    }

    private void Emit(VectorForm form, VectorOp op, int first, int second, int third, int immediate = -1) => instructions.Add(IsNumber(third)
        ? new(form, op, first, second, -1, NumberOf(trace[third].Bits), immediate)
        : new(form, op, first, second, registers[third], -1, immediate));

    private int NumberOf(int bits)
    {
        var at = numbers.IndexOf(bits);
        if (at >= 0) return at;
        numbers.Add(bits);
        return numbers.Count - 1;
    }
}
