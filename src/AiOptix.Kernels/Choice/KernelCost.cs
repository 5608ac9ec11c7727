using System.Runtime.CompilerServices;

namespace AiOptix.Kernels.Choice;

/// <summary>What a row of a table costs, in nanoseconds a unit of each figure of <see cref="KernelWork"/>.</summary>
public sealed record KernelCost
{
    private readonly Nine figures;

    internal KernelCost(params ReadOnlySpan<double> figures) => figures.CopyTo(this.figures);

    /// <summary>Nanoseconds a unit of a figure.</summary>
    public double this[int figure] => figures[figure];

    /// <summary>What some work takes, in seconds.</summary>
    public double Seconds(in KernelWork work)
    {
        double sum = 0;
        for (var i = 0; i < KernelWork.Figures; i++) sum += figures[i] * work[i];
        return sum * 1e-9;
    }

    /// <summary>The cost of the row of that name, as it was measured; null for a row that nobody measured, which is chosen only when there is no other.</summary>
    public static KernelCost? Of(string row) => KernelCosts.Measured.TryGetValue(row, out var cost) ? cost : null;

    [InlineArray(KernelWork.Figures)]
    private struct Nine
    {
        private double first;
    }
}
