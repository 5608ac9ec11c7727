using System.Runtime.CompilerServices;
using AiOptix.Kernels.Jit;

namespace AiOptix.Kernels.QuantizedConv;

/// <summary>
/// The panels of output channels of a convolution's group, with the tiles that compute them. A packed panel is addends of the sums [vectors][lanes], factors [vectors][lanes], addends of the results [vectors][lanes] where there are some, and the weights of all steps.
/// </summary>
internal sealed unsafe class DotPanels
{
    private const int MostRows = 14;

    private readonly DotTiles tiles;
    private readonly DotForm form;
    private readonly DotPanel[] panels;
    private readonly long[] offsets;
    private readonly nint[] code;
    private readonly int[][] lanes;
    private readonly List<GeneratedKernel> kernels = [];

    /// <param name="tiles">The tiles.</param>
    /// <param name="form">What they read and store.</param>
    /// <param name="outputs">Output channels of a group.</param>
    /// <param name="steps">Steps of four terms of an output.</param>
    public DotPanels(DotTiles tiles, DotForm form, int outputs, long steps)
    {
        (this.tiles, this.form) = (tiles, form);
        panels = [.. tiles.Panels(outputs, form)];
        offsets = new long[panels.Length + 1];
        for (var p = 0; p < panels.Length; p++) offsets[p + 1] = checked(offsets[p] + HeaderBytes(p) + steps * 4 * Width(p) * tiles.WeightBytes);
        code = new nint[panels.Length * (MostRows + 1)];
        lanes = [.. Enumerable.Range(0, panels.Length).Select(Lanes)];
    }

    /// <summary>The tiles.</summary>
    public DotTiles Tiles => tiles;

    /// <summary>How many.</summary>
    public int Count => panels.Length;

    /// <summary>Bytes of all packed panels.</summary>
    public long Bytes => offsets[^1];

    /// <summary>Bytes that tiles with columns to be left out are stored to first.</summary>
    public int StageBytes => sizeof(int) * MostRows * tiles.Width;

    /// <summary>Bytes of a panel's addends and factors, made in a run.</summary>
    public int HeaderBytes() => 2 * sizeof(int) * tiles.Width;

    public DotPanel this[int panel] => panels[panel];

    /// <summary>Where a packed panel lies.</summary>
    public long Offset(int panel) => offsets[panel];

    /// <summary>Bytes before its weights.</summary>
    public int HeaderBytes(int panel) => (form.HasAddends ? 3 : 2) * sizeof(int) * Width(panel);

    /// <summary>Columns of a panel, those that count for nothing included.</summary>
    public int Width(int panel) => panels[panel].Vectors * tiles.Lanes;

    /// <summary>Rows of the highest tile of a panel.</summary>
    public int Height(int panel) => tiles.Height(panels[panel].Vectors);

    /// <summary>Which of a panel's columns a lane stands for; it may be one that counts for nothing.</summary>
    public int Column(int panel, int vector, int lane) => DotCode.Column(tiles.IsGenerated ? form : default, tiles.VectorBytes, panels[panel].Vectors, vector, lane);

    /// <summary>Writes what stands before a panel's weights.</summary>
    public void PackHeader(int panel, int* sums, float* factors, float* addends, byte* to)
    {
        for (var v = 0; v < panels[panel].Vectors; v++)
            for (var lane = 0; lane < tiles.Lanes; lane++)
            {
                var (at, column) = (v * tiles.Lanes + lane, Column(panel, v, lane));
                var counts = column < panels[panel].Columns;
                ((int*)to)[at] = counts ? sums[panels[panel].First + column] : 0;
                ((float*)to)[Width(panel) + at] = counts ? factors[panels[panel].First + column] : 0;
                if (form.HasAddends) ((float*)to)[2 * Width(panel) + at] = counts ? addends[panels[panel].First + column] : 0;
            }
    }

    /// <summary>Where the weights of a panel's column go.</summary>
    /// <param name="panel">The panel.</param>
    /// <param name="column">The column.</param>
    /// <param name="weights">The panel's weights, all 0 before.</param>
    public DotColumn ColumnOf(int panel, int column, byte* weights)
    {
        var place = lanes[panel][column] * 4;
        return new(weights + place, StepBytes(panel), tiles.Method == DotMethod.Pairs ? 4 * Width(panel) : 0);
    }

    /// <summary>For each column of a panel the lane that stands for it, counted through the panel's vectors.</summary>
    public ReadOnlySpan<int> LanesOf(int panel) => lanes[panel];

    /// <summary>Bytes of a step of a panel.</summary>
    public int StepBytes(int panel) => 4 * Width(panel) * tiles.WeightBytes;

    /// <summary>Makes the tile of a panel and a number of rows ready.</summary>
    /// <exception cref="Tensors.LimitExceededException">The system grants no memory for it.</exception>
    public void Prepare(int panel, int rows)
    {
        ref var address = ref code[panel * (MostRows + 1) + rows];
        if (address != 0) return;
        if (!tiles.IsGenerated)
        {
            address = tiles.Code;
            return;
        }
        var isCut = tiles.VectorBytes == 64 && panels[panel].Columns < Width(panel);
        var kernel = CodeCache.Shared.Get(new DotCode(tiles.VectorBytes, tiles.Method, rows, panels[panel].Vectors, isCut, form));
        kernels.Add(kernel);
        address = kernel.Address;
    }

    /// <summary>Runs tiles of a panel that lie below each other; C then points behind the last.</summary>
    /// <param name="panel">The panel.</param>
    /// <param name="rows">Rows of a tile that was made ready.</param>
    /// <param name="count">Tiles.</param>
    /// <param name="t">The rest.</param>
    /// <param name="stage">Memory for tiles with columns to be left out.</param>
    [MethodImpl(HotCode.Optimized)]
    public void Run(int panel, int rows, int count, DotArguments* t, byte* stage)
    {
        var p = panels[panel];
        (t->Tiles, t->ATile, t->CTile, t->Rows, t->Columns, t->Form) = (count, rows * t->AStride, rows * t->CStride, rows, p.Columns, form);
        var address = code[panel * (MostRows + 1) + rows];
        var isWhole = p.Columns == Width(panel);
        if (!tiles.IsGenerated) ((delegate*<DotArguments*, void>)address)(t);
        else if (isWhole || tiles.VectorBytes == 64)
        {
            if (!isWhole) t->Tail = (1ul << (form.StoresBytes ? p.Columns : p.Columns % tiles.Lanes)) - 1;
            ((delegate* unmanaged[SuppressGCTransition]<DotArguments*, void>)address)(t);
        }
        else Staged(panel, rows, count, (delegate* unmanaged[SuppressGCTransition]<DotArguments*, void>)address, t, stage);
        GC.KeepAlive(this);
    }

    // For each column the lane that stands for it, counted through the panel's vectors.
    private int[] Lanes(int panel)
    {
        var all = new int[Width(panel)];
        for (var at = 0; at < all.Length; at++) all[Column(panel, at / tiles.Lanes, at % tiles.Lanes)] = at;
        return all;
    }

    // Without mask registers: whole rows go to the stage, and from there what counts.
    private void Staged(int panel, int rows, int count, delegate* unmanaged[SuppressGCTransition]<DotArguments*, void> tile, DotArguments* t, byte* stage)
    {
        var size = form.StoresBytes ? 1 : sizeof(int);
        var c = t->C;
        var (stride, bytes) = (t->CStride, panels[panel].Columns * size);
        t->CStride = Width(panel) * size;
        for (; count > 0; count--)
        {
            t->C = stage;
            t->Tiles = 1;
            tile(t);
            for (var row = 0; row < rows; row++, c += stride) Buffer.MemoryCopy(stage + row * t->CStride, c, bytes, bytes);
        }
        t->C = c;
        t->CStride = stride;
    }
}

/// <summary>Where the weights of one column go.</summary>
/// <param name="place">The column's lane in the first step.</param>
/// <param name="stepBytes">From a step to the next.</param>
/// <param name="halfBytes">From a lane of even terms to that of odd ones; 0 where a lane holds four signed bytes.</param>
internal readonly unsafe struct DotColumn(byte* place, nint stepBytes, nint halfBytes)
{
    /// <summary>Writes a weight.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Put(nint step, int term, int weight)
    {
        if (halfBytes == 0) place[step * stepBytes + term] = (byte)weight;
        else ((short*)(place + step * stepBytes + (term & 1) * halfBytes))[term >> 1] = (short)weight;
    }
}
