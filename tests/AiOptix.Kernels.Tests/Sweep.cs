using AiOptix.Tensors;

namespace AiOptix.Kernels.Tests;

/// <summary>What tests that walk kernel tables share: skips that are counted, random data, task splits.</summary>
internal static class Sweep
{
    public static readonly Target[] Targets = [HostTarget.Current, HostTarget.Current.Cap(IsaCap.Avx2), HostTarget.Current.Cap(IsaCap.None)];

    /// <summary>Skips the test when this machine lacks what the row needs.</summary>
    public static void Require(Isa needs) => Skip.IfNot(HostTarget.Current.Has(needs), $"this machine lacks {needs}");

    /// <summary>Runs tasks in an order and grouping that no plan should notice: odd ones first, then pairs.</summary>
    public static void Scattered(int tasks, Action<int, int> run)
    {
        for (var t = 1; t < tasks; t += 2) run(t, t + 1);
        for (var t = 0; t < tasks; t += 2) run(t, t + 1);
    }

    /// <summary>Floats about zero; a part of them special when asked for.</summary>
    public static float[] Floats(Random random, long count, bool specials = false, float scale = 4)
    {
        float[] special = [float.NaN, float.PositiveInfinity, float.NegativeInfinity, 0f, -0f, float.MaxValue, float.Epsilon, 1f];
        var x = new float[count];
        for (var i = 0; i < count; i++)
            x[i] = specials && random.Next(12) == 0 ? special[random.Next(special.Length)] : (random.NextSingle() - 0.5f) * 2 * scale;
        return x;
    }

    /// <summary>Same bits, any NaN equal to any NaN.</summary>
    public static bool Same(float a, float b) => BitConverter.SingleToInt32Bits(a) == BitConverter.SingleToInt32Bits(b) || (float.IsNaN(a) && float.IsNaN(b));

    /// <summary>Asserts bitwise equality, element by element.</summary>
    public static void AssertSame(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
            if (!Same(expected[i], actual[i])) Assert.Fail($"{what}: element {i} of {expected.Length}: expected {expected[i]:R}, got {actual[i]:R}");
    }

    /// <summary>Asserts closeness to a reference in f64: |a − e| ≤ relative·|e| + absolute, specials alike.</summary>
    public static void AssertClose(ReadOnlySpan<double> expected, ReadOnlySpan<float> actual, double relative, double absolute, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            double e = expected[i], a = actual[i];
            if (double.IsNaN(e) ? double.IsNaN(a) : (float)e == a || Math.Abs(a - e) <= relative * Math.Abs(e) + absolute) continue;
            Assert.Fail($"{what}: element {i} of {expected.Length}: expected {e:R}, got {a:R}");
        }
    }
}
