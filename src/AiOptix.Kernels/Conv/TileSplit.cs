using AiOptix.Tensors;

namespace AiOptix.Kernels.Conv;

/// <summary>A task of a <see cref="TileSplit"/>: a rectangle of output pixels by some panels of output channels.</summary>
internal readonly record struct TileTask(int Row, int Rows, int Column, int Columns, int Panel, int Panels);

/// <summary>What the cut of a convolution looks at besides its shape.</summary>
/// <param name="Panels">Panels of output channels of a group.</param>
/// <param name="Height">Pixels of the highest tile.</param>
/// <param name="ElementBytes">Bytes of an element of X.</param>
/// <param name="OperationsATask">How much a task should do.</param>
internal readonly record struct TileMeasure(int Panels, int Height, int ElementBytes, double OperationsATask);

/// <summary>How one slice of a convolution is cut into tasks. A function of shape, kernel and caches only.</summary>
/// <param name="Height">Output lines.</param>
/// <param name="Width">Output pixels of a line.</param>
/// <param name="PanelCount">Panels of output channels of a group.</param>
/// <param name="Rows">Lines a task.</param>
/// <param name="Columns">Pixels of a line a task.</param>
/// <param name="Panels">Panels a task.</param>
internal readonly record struct TileSplit(int Height, int Width, int PanelCount, int Rows, int Columns, int Panels)
{
    private const int EnoughTasks = 16;

    /// <summary>Tasks of a slice.</summary>
    public int Tasks => checked(Places * Parts(PanelCount, Panels));

    /// <summary>Rectangles of pixels of a slice.</summary>
    public int Places => checked(Parts(Height, Rows) * Parts(Width, Columns));

    /// <summary>
    /// Cuts a convolution. Every cut across the pixels has the weights read once more, every cut across the panels the input (and copied, where <paramref name="copies"/>): of the cuts that make
    /// enough tasks, the one that moves least; cuts that make fewer count for more. A task has no more pixels than the second-level cache holds while a block of <paramref name="steps"/> steps meets all panels.
    /// </summary>
    public static TileSplit Of(in ConvShape shape, TileMeasure tiles, Target target, int steps, bool copies)
    {
        int height = Math.Max(1, shape.Height.Output), width = Math.Max(1, shape.Width.Output), panels = Math.Max(1, tiles.Panels);
        var units = Math.Max(1.0, (double)shape.Batch * shape.Depth.Output * shape.Groups);
        var pixels = height * (double)width;
        var work = 2.0 * shape.Terms * shape.GroupOutputs * pixels * units;
        var want = (int)Math.Ceiling(Math.Clamp(work / tiles.OperationsATask, 1, EnoughTasks) / units);
        double weights = (double)shape.Terms * shape.GroupOutputs, input = (double)shape.GroupChannels * shape.InputPixels * (copies ? 3 : 1);
        var most = Math.Max(2 * tiles.Height, target.L2Bytes / 2.0 / tiles.ElementBytes / (Math.Min(shape.GroupChannels, steps) + shape.GroupOutputs));
        var (best, least) = (1, double.MaxValue);
        for (var cuts = 1; cuts <= Math.Min(want, panels); cuts++)
        {
            var across = Math.Min(Math.Max(Math.Ceiling((double)want / cuts), Math.Ceiling(pixels / most)), Math.Ceiling(pixels / (2 * tiles.Height)));
            var missing = Math.Max(0, 1 - across * cuts / want);
            var moved = (across * weights + cuts * input) * (1 + missing);
            if (moved < least) (best, least) = (cuts, moved);
        }
        var wanted = Math.Max(Math.Min(most, Math.Ceiling(pixels / Math.Ceiling((double)want / best))), 2 * tiles.Height);
        var rows = (int)Math.Clamp(Math.Round(wanted / width), 1, height);
        var columns = rows > 1 || width <= 1.5 * wanted ? width : (int)Math.Min(width, Math.Ceiling(wanted / tiles.Height) * tiles.Height);
        return new(height, width, panels, Parts(height, Parts(height, rows)), columns, Parts(panels, best));
    }

    /// <summary>What a task covers; tasks over the same pixels follow each other.</summary>
    public TileTask Locate(int task)
    {
        int panelTasks = Parts(PanelCount, Panels), columnTasks = Parts(Width, Columns);
        int place = task / panelTasks, panel = (task - place * panelTasks) * Panels;
        int row = place / columnTasks * Rows, column = place % columnTasks * Columns;
        return new(row, Math.Min(Rows, Height - row), column, Math.Min(Columns, Width - column), panel, Math.Min(Panels, PanelCount - panel));
    }

    private static int Parts(int whole, int part) => (whole + part - 1) / part;
}
