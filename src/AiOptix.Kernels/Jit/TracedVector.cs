using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Jit;

/// <summary>
/// A vector that computes nothing but writes down what is asked of it, so that maths written once over <see cref="IVec{T}"/> can become machine code: the place of a value in the
/// <see cref="VectorTrace"/> of the thread.
/// </summary>
/// <param name="Place">The place.</param>
internal readonly unsafe record struct TracedVector(int Place) : IVec<TracedVector>
{
    [ThreadStatic] private static VectorTrace? current;

    /// <inheritdoc/>
    public static int Count => throw NoMemory();

    /// <inheritdoc/>
    public static TracedVector Zero => Set(0f);

    /// <summary>What a function of one vector does. Its parameters stay open.</summary>
    public static VectorTrace Of<TF>() where TF : struct, IUnaryF32
    {
        var trace = current = new VectorTrace();
        try
        {
            trace.Result = TF.Apply(new TracedVector(0), VectorTrace.Parameters).Place;
            return trace;
        }
        finally
        {
            current = null;
        }
    }

    /// <inheritdoc/>
    public static TracedVector Set(float value) => new(current!.Number(value));

    /// <inheritdoc/>
    public static TracedVector Load(float* p) => throw NoMemory();

    /// <inheritdoc/>
    public static void Store(float* p, TracedVector v) => throw NoMemory();

    /// <inheritdoc/>
    public static TracedVector LoadPart(float* p, int n) => throw NoMemory();

    /// <inheritdoc/>
    public static void StorePart(float* p, TracedVector v, int n) => throw NoMemory();

    /// <inheritdoc/>
    public static TracedVector operator +(TracedVector a, TracedVector b) => Do(VectorStep.Add, a, b);

    /// <inheritdoc/>
    public static TracedVector operator -(TracedVector a, TracedVector b) => Do(VectorStep.Subtract, a, b);

    /// <inheritdoc/>
    public static TracedVector operator *(TracedVector a, TracedVector b) => Do(VectorStep.Multiply, a, b);

    /// <inheritdoc/>
    public static TracedVector operator /(TracedVector a, TracedVector b) => Do(VectorStep.Divide, a, b);

    /// <inheritdoc/>
    public static TracedVector operator -(TracedVector a) => current![a.Place] is { Step: VectorStep.And } magnitude && magnitude.B == Magnitude.Place
        ? Do(VectorStep.Or, new(magnitude.A), Set(-0f)) // −|a| is one operation.
        : Do(VectorStep.Xor, a, Set(-0f));

    /// <inheritdoc/>
    public static TracedVector Fma(TracedVector a, TracedVector b, TracedVector c) => Do(VectorStep.MultiplyAdd, a, b, c);

    /// <inheritdoc/>
    public static TracedVector MinOr(TracedVector a, TracedVector b) => Do(VectorStep.Min, a, b);

    /// <inheritdoc/>
    public static TracedVector MaxOr(TracedVector a, TracedVector b) => Do(VectorStep.Max, a, b);

    /// <inheritdoc/>
    public static TracedVector Abs(TracedVector a) => Do(VectorStep.And, a, Magnitude);

    /// <inheritdoc/>
    public static TracedVector Sqrt(TracedVector a) => Do(VectorStep.Sqrt, a);

    /// <inheritdoc/>
    public static TracedVector Round(TracedVector a) => Do(VectorStep.Round, a);

    /// <inheritdoc/>
    public static TracedVector Floor(TracedVector a) => Do(VectorStep.Floor, a);

    /// <inheritdoc/>
    public static TracedVector CopySign(TracedVector a, TracedVector sign) => Do(VectorStep.Or, Abs(a), Do(VectorStep.And, sign, Set(-0f)));

    /// <inheritdoc/>
    public static TracedVector IfLess(TracedVector a, TracedVector b, TracedVector yes, TracedVector no) => Do(VectorStep.IfLess, a, b, yes, no);

    /// <inheritdoc/>
    public static TracedVector IfEqual(TracedVector a, TracedVector b, TracedVector yes, TracedVector no) => Do(VectorStep.IfEqual, a, b, yes, no);

    /// <inheritdoc/>
    public static TracedVector Scale(TracedVector a, TracedVector n) => Do(VectorStep.Scale, a, n);

    /// <inheritdoc/>
    public static TracedVector Split(TracedVector a, out TracedVector exponent)
    {
        var e = Do(VectorStep.ExponentBits, Do(VectorStep.SubtractInts, a, Set(BitConverter.Int32BitsToSingle(VecMath.SqrtHalfBits))));
        exponent = Do(VectorStep.ToFloats, e);
        return Do(VectorStep.SubtractInts, a, Do(VectorStep.BitsOfExponent, e));
    }

    /// <inheritdoc/>
    public static float Sum(TracedVector a) => throw NoMemory();

    /// <inheritdoc/>
    public static float MaxLane(TracedVector a) => throw NoMemory();

    private static TracedVector Magnitude => Set(BitConverter.Int32BitsToSingle(int.MaxValue));

    private static TracedVector Do(VectorStep step, TracedVector a, TracedVector? b = null, TracedVector? c = null, TracedVector? d = null) =>
        new(current!.Add(new(step, a.Place, b?.Place ?? -1, c?.Place ?? -1, d?.Place ?? -1)));

    private static NotSupportedException NoMemory() => new("a function that becomes machine code maps lanes to lanes: it reads no memory and joins no lanes");
}
