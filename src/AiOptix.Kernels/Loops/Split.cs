namespace AiOptix.Kernels.Loops;

/// <summary>
/// How a stretch of equal items is cut into tasks. A pure function of the items and what one costs (in elements touched): never of the
/// machine or the number of threads, so the same program is cut the same everywhere.
/// </summary>
public readonly struct Split
{
    private const long OneTask = 16 << 10;
    private const long TaskCost = 32 << 10;
    private const long MostTasks = 1 << 14;

    /// <summary>Cuts <paramref name="items"/> items of <paramref name="costPerItem"/> each; every task but the last starts and ends at a multiple of <paramref name="grain"/>.</summary>
    public Split(long items, long costPerItem, int grain = 1)
    {
        Items = Math.Max(items, 0);
        var cost = Math.Max((double)Items * Math.Max(costPerItem, 1), 0);
        var grains = (Items + grain - 1) / grain;
        var tasks = cost <= OneTask ? 1 : (long)Math.Min(Math.Ceiling(cost / TaskCost), Math.Min(Math.Max(grains, 1), MostTasks));
        ItemsPerTask = Math.Max((grains + tasks - 1) / tasks, 1) * grain;
        Tasks = Items == 0 ? 0 : (int)((Items + ItemsPerTask - 1) / ItemsPerTask);
    }

    /// <summary>Items in all.</summary>
    public long Items { get; }

    /// <summary>Items of every task but the last.</summary>
    public long ItemsPerTask { get; }

    /// <summary>Tasks; 0 when there is nothing to do.</summary>
    public int Tasks { get; }

    /// <summary>The first item of a task; for <see cref="Tasks"/> it is the end.</summary>
    public long Start(int task) => Math.Min(task * ItemsPerTask, Items);
}
