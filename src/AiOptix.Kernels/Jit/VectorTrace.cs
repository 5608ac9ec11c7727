using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Jit;

/// <summary>What one step of a traced function computes, lane by lane.</summary>
internal enum VectorStep
{
    /// <summary>The argument of the function.</summary>
    Argument,
    /// <summary>A number in all lanes.</summary>
    Number,
    Add,
    Subtract,
    Multiply,
    Divide,
    And,
    Or,
    Xor,
    /// <summary>a·b + c with one rounding.</summary>
    MultiplyAdd,
    /// <summary>a where it is the lesser, otherwise b.</summary>
    Min,
    /// <summary>a where it is the greater, otherwise b.</summary>
    Max,
    Sqrt,
    /// <summary>To the nearest integer, ties to even.</summary>
    Round,
    /// <summary>To the next integer below.</summary>
    Floor,
    /// <summary>a·2ᵇ.</summary>
    Scale,
    /// <summary>c where a &lt; b, otherwise d.</summary>
    IfLess,
    /// <summary>c where a = b, otherwise d.</summary>
    IfEqual,
    SubtractInts,
    /// <summary>Bits shifted right arithmetically by 23.</summary>
    ExponentBits,
    /// <summary>Bits shifted left by 23.</summary>
    BitsOfExponent,
    /// <summary>Integers as floats.</summary>
    ToFloats,
}

/// <summary>A value of a traced function: what computes it from which earlier values.</summary>
internal readonly record struct TracedStep(VectorStep Step, int A = -1, int B = -1, int C = -1, int D = -1, int Bits = 0)
{
    // By hand: comparers of enumerations are made by reflection when they are first met.
    /// <inheritdoc/>
    public bool Equals(TracedStep other) => Step == other.Step && A == other.A && B == other.B && C == other.C && D == other.D && Bits == other.Bits;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine((int)Step, A, B, C, D, Bits);

    /// <summary>The values that it reads.</summary>
    public int[] Operands => Array.FindAll([A, B, C, D], o => o >= 0);
}

/// <summary>What a function of one vector does, step by step; equal steps are one.</summary>
internal sealed class VectorTrace
{
    // Numbers that stand for the function's parameters while it is traced: NaNs that no function holds.
    private const int FirstParameter = 0x7fc5a501;

    private readonly List<TracedStep> steps = [new(VectorStep.Argument)];

    /// <summary>Stand for <see cref="ActivationArgs.Alpha"/> and <see cref="ActivationArgs.Beta"/>.</summary>
    public static ActivationArgs Parameters { get; } = new(BitConverter.Int32BitsToSingle(FirstParameter), BitConverter.Int32BitsToSingle(FirstParameter + 1));

    /// <summary>How many values there are.</summary>
    public int Count => steps.Count;

    /// <summary>A value; the first one is the argument.</summary>
    public TracedStep this[int place] => steps[place];

    /// <summary>The value that the function gives.</summary>
    public int Result { get; set; }

    /// <summary>The place of a number.</summary>
    public int Number(float value) => Add(new(VectorStep.Number, Bits: BitConverter.SingleToInt32Bits(value)));

    /// <summary>The place of a value.</summary>
    public int Add(TracedStep step)
    {
        for (var place = 0; place < steps.Count; place++)
            if (steps[place].Equals(step)) return place;
        steps.Add(step);
        return steps.Count - 1;
    }

    /// <summary>Which parameter a number stands for, or -1.</summary>
    public static int ParameterOf(int bits) => bits - FirstParameter is 0 or 1 ? bits - FirstParameter : -1;
}
