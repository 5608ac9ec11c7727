using System.Globalization;
using AiOptix.Kernels.Vectors;
using At = AiOptix.Kernels.Jit.TileArguments.At;

namespace AiOptix.Kernels.Jit;

/// <summary>The key of the code that applies an activation to a tile's accumulators.</summary>
/// <param name="Activation">The activation.</param>
/// <param name="Code">Its instructions.</param>
internal sealed record ActivationCode(Activation Activation, VectorCode Code) : IKernelCode
{
    /// <inheritdoc/>
    public string Name => string.Create(CultureInfo.InvariantCulture, $"activation_{Activation.ToString().ToLowerInvariant()}_f32_avx512_jit");

    /// <inheritdoc/>
    public KernelGenerator Generator() => new ActivationGenerator(Code);

    /// <inheritdoc/>
    public bool Equals(ActivationCode? other) => other is not null && other.Activation == Activation;

    /// <inheritdoc/>
    public override int GetHashCode() => (int)Activation;
}

/// <summary>
/// Generates what a tile calls to apply a function to its accumulators, zmm0 upwards; rcx holds how many there are, less one. Two at once, step by step, so that one waits while the other computes.
/// Registers for that come from behind the accumulators that any tile has, zmm28 to zmm31, and from the <see cref="Lent"/> last accumulators: these are put on the stack and take their turn when the first
/// ones are done and lie there. Uses rax, rcx, rdx, r8, k2, k3.
/// </summary>
internal sealed class ActivationGenerator(VectorCode function) : KernelGenerator(VectorBytes)
{
    /// <summary>Accumulators of the largest tile.</summary>
    public const int Most = 28;

    private const int VectorBytes = 64, Registers = 32, FirstMask = 2, AtOnce = 2;
    private const Gpr Stack = Gpr.Rax, Left = Gpr.Rcx, Numbers = Gpr.Rdx, Spare = Gpr.R8;

    private int Lent => Math.Max(0, AtOnce * function.Temporaries - (Registers - Most));

    /// <summary>The machine code: what calls it is generated code, so that no calling convention of a system counts.</summary>
    public override ReadOnlySpan<byte> Generate(bool isWindows)
    {
        Body();
        Code.Return();
        return Code.Code;
    }

    protected override void Body()
    {
        Label many = new(), end = new();
        var own = Most - Lent;
        Code.Load(Numbers, new(Arguments, At.Numbers));
        if (Lent > 0)
        {
            Code.Move(Spare, Left);
            Code.Subtract(Spare, own);
            Code.JumpIfNotLess(many);
        }
        var behind = Queries.Each(Registers - own, i => own + i);
        Apply(0, own, behind, end);
        if (Lent > 0)
        {
            Code.Jump(end);
            Code.Set(many);
            Code.Move(Stack, Gpr.Rsp);
            Code.Add(Gpr.Rsp, -Lent * VectorBytes);
            Code.AlignDown(Gpr.Rsp, VectorBytes);
            Move(VectorOp.Store, own);
            Apply(0, own, behind, null);
            var back = new Label();
            Swap(own);
            Code.Move(Left, Spare);
            Apply(own, Most, Queries.Each(Lent + Registers - Most, i => i < Lent ? i : Most + i - Lent), back);
            Code.Set(back);
            Move(VectorOp.Load, 0);
            Code.Move(Gpr.Rsp, Stack);
        }
        Code.Set(end);
    }

    // The last accumulators come back, the first ones take their places on the stack.
    private void Swap(int own)
    {
        Move(VectorOp.Load, own);
        Move(VectorOp.Store, 0);
    }

    private void Move(VectorOp op, int first)
    {
        for (var i = 0; i < Lent; i++) Code.Vector(op, first + i, 0, new Mem(Gpr.Rsp, i * VectorBytes));
    }

    /// <summary>Applies the function to accumulators, as far as there are any; to all of them where <paramref name="end"/> is null.</summary>
    private void Apply(int first, int last, int[] free, Label? end)
    {
        for (var i = first; i < last; i += AtOnce)
        {
            if (i > first && end is not null)
            {
                Code.Subtract(Left, AtOnce);
                Code.JumpIfLess(end);
            }
            var count = Math.Min(AtOnce, last - i);
            foreach (var instruction in function.Instructions)
                for (var chain = 0; chain < count; chain++) Write(instruction, i + chain, free.AsSpan(chain * function.Temporaries), FirstMask + chain);
        }
    }

    private void Write(in VectorInstruction i, int argument, ReadOnlySpan<int> temporaries, int mask)
    {
        int first = Register(i.First, argument, temporaries), second = Register(i.Second, argument, temporaries), third = i.Third < 0 ? -1 : Register(i.Third, argument, temporaries);
        switch (i.Form)
        {
            case VectorForm.ShiftLeft:
                Code.ShiftInts(first, third, i.Immediate, isLeft: true);
                return;
            case VectorForm.ShiftRight:
                Code.ShiftInts(first, third, i.Immediate, isLeft: false);
                return;
        }
        if (i.Form == VectorForm.Compare) first = mask;
        // Operations of two operands have no second one.
        if (i.Op == VectorOp.Move || i.Op == VectorOp.Broadcast || i.Op == VectorOp.Round || i.Op == VectorOp.Sqrt || i.Op == VectorOp.ToFloats) second = 0;
        var chosen = i.Form == VectorForm.Choose ? mask : 0;
        if (third >= 0) Code.Vector(i.Op, first, second, third, chosen);
        else Code.Vector(i.Op, first, second, Place(i.Number), chosen, isBroadcast: i.Op != VectorOp.Broadcast);
        if (i.Immediate >= 0) Code.Immediate(i.Immediate);
    }

    private Mem Place(int number) => VectorTrace.ParameterOf(function.Numbers[number]) switch
    {
        0 => new(Arguments, At.First),
        1 => new(Arguments, At.Second),
        _ => new(Numbers, number * sizeof(float)),
    };

    private static int Register(int register, int argument, ReadOnlySpan<int> temporaries) => register == 0 ? argument : temporaries[register - 1];
}
