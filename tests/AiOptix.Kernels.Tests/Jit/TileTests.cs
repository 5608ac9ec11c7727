using AiOptix.Kernels.Jit;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;
using Iced.Intel;

namespace AiOptix.Kernels.Tests.Jit;

/// <summary>Every generated product tile, alone.</summary>
public unsafe class TileTests
{
    public static TheoryData<bool> Widths => [true, false];

    private static GeneratedTiles Tiles(bool isWide)
    {
        Sweep.Require((isWide ? Isa.Avx512 : Isa.Avx2) | Isa.Jit);
        return isWide ? GeneratedTiles.Avx512 : GeneratedTiles.Avx2;
    }

    [SkippableTheory]
    [MemberData(nameof(Widths))]
    public void Every_size_gives_the_bits_of_a_plain_loop(bool isWide)
    {
        var tiles = Tiles(isWide);
        var random = new Random(5);
        foreach (var form in Enum.GetValues<TileForm>())
            for (var rows = 1; rows <= tiles.Set.Height; rows++)
                for (var columns = 1; columns <= tiles.Set.Width; columns++)
                {
                    tiles.Prepare(form, rows, columns);
                    Check(tiles, form, rows, columns, random);
                }
    }

    // Buffers end at inaccessible pages; some numbers are NaN or infinite; the sum runs over pieces, over several tiles, and may go on from what C holds.
    private static void Check(GeneratedTiles tiles, TileForm form, int rows, int columns, Random random)
    {
        var isColumnwise = form == TileForm.Columnwise;
        int steps = isColumnwise ? 1 : random.Next(0, 11), pieces = form == TileForm.Strided ? random.Next(1, 4) : isColumnwise ? random.Next(0, 10) : 1;
        int count = random.Next(1, 4), lane = rows + random.Next(3), gap = columns + random.Next(3), width = columns + random.Next(2);
        int row = (isColumnwise ? columns : steps) + random.Next(3), piece = rows * row;
        var aFloats = form != TileForm.Adjacent ? pieces * rows * count * row : Math.Max(1, steps) * lane * count;
        using var a = new GuardedBuffer(Sweep.Floats(random, Math.Max(1, aFloats), specials: random.Next(3) == 0));
        using var b = new GuardedBuffer(Sweep.Floats(random, (Math.Max(1, pieces * steps) - 1) * width + columns));
        using var c = new GuardedBuffer(Sweep.Floats(random, (rows * count - 1) * gap + columns));
        using var residual = new GuardedBuffer(Sweep.Floats(random, (rows * count - 1) * gap + columns));
        using var columnBias = new GuardedBuffer(Sweep.Floats(random, columns));
        using var rowBias = new GuardedBuffer(Sweep.Floats(random, rows));
        var offsets = stackalloc int[2 * pieces];
        for (var i = 0; i < pieces; i++)
        {
            offsets[isColumnwise ? 2 * i : i] = i * piece * count;
            if (isColumnwise) offsets[2 * i + 1] = i * width;
        }
        var flags = (TileFlags)random.Next(16) | (TileFlags)(random.Next(4) is var last && last < 3 ? 16 << last : 0);
        var before = c.Span.ToArray();
        TileArguments t = default;
        t.A = (byte*)a.Pointer;
        t.B = (byte*)b.Pointer;
        t.C = (byte*)c.Pointer;
        t.Residual = (byte*)residual.Pointer;
        t.ColumnBias = (byte*)columnBias.Pointer;
        t.RowBias = (byte*)rowBias.Pointer;
        t.Offsets = offsets;
        (t.Pieces, t.Steps, t.Flags, t.Tiles) = (pieces, steps, (nint)flags, count);
        (t.AStride, t.BStride, t.CStride, t.ResidualStride, t.RowBiasStride) = ((form == TileForm.Adjacent ? lane : row) * 4, width * 4, gap * 4, gap * 4, 4);
        (t.ATile, t.CTile, t.ResidualTile) = ((form == TileForm.Adjacent ? Math.Max(1, steps) * lane : piece) * 4, rows * gap * 4, rows * gap * 4);
        (t.Alpha, t.First, t.Second) = (0.75f, 0.2f, 1.5f);
        tiles.Set.Run(form, rows, columns, &t);
        for (var tile = 0; tile < count; tile++)
            for (var r = 0; r < rows; r++)
                for (var j = 0; j < columns; j++)
                {
                    var at = (tile * rows + r) * gap + j;
                    var sum = flags.HasFlag(TileFlags.Accumulate) ? before[at] : 0f;
                    for (var k = 0; k < pieces * steps; k++)
                    {
                        var x = form switch
                        {
                            TileForm.Strided => a.Span[k / steps * piece * count + tile * piece + r * row + k % steps],
                            TileForm.Columnwise => a.Span[k * piece * count + tile * piece + r * row + j],
                            _ => a.Span[tile * Math.Max(1, steps) * lane + k * lane + r],
                        };
                        sum = MathF.FusedMultiplyAdd(x, b.Span[k * width + j], sum);
                    }
                    if (flags.HasFlag(TileFlags.Scale)) sum = MathF.FusedMultiplyAdd(sum, 0.75f, rowBias.Span[r]);
                    if (flags.HasFlag(TileFlags.ColumnBias)) sum += columnBias.Span[j];
                    if (flags.HasFlag(TileFlags.Residual)) sum += residual.Span[at];
                    ActivationArgs args = new(0.2f, 1.5f);
                    if (flags.HasFlag(TileFlags.Relu)) sum = ReluF32.Apply(new V1(sum), args).Value;
                    if (flags.HasFlag(TileFlags.Leaky)) sum = LeakyReluF32.Apply(new V1(sum), args).Value;
                    if (flags.HasFlag(TileFlags.Clip)) sum = ClipF32.Apply(new V1(sum), args).Value;
                    Assert.True(Sweep.Same(sum, c.Span[at]), $"{form} {rows}x{columns}, {pieces} pieces of {steps}, {flags}: tile {tile} [{r},{j}] = {c.Span[at]:R}, expected {sum:R}");
                    before[at] = c.Span[at];
                }
        Sweep.AssertSame(before, c.Span, $"{form} {rows}x{columns} beside its columns");
    }

    [SkippableTheory]
    [MemberData(nameof(Widths))]
    public void Code_for_both_calling_conventions_is_whole_and_keeps_what_it_must(bool isWide)
    {
        var set = Tiles(isWide).Set;
        foreach (var form in Enum.GetValues<TileForm>())
            for (var rows = 1; rows <= set.Height; rows++)
                for (var vectors = 1; vectors <= 2; vectors++)
                    foreach (var isWindows in new[] { false, true })
                    {
                        var code = new TileCode(isWide ? 64 : 32, rows, vectors, HasTail: true, form);
                        var listing = new KernelListing(code.Name, code.Generator().Generate(isWindows).ToArray());
                        var all = listing.Decode();
                        Assert.DoesNotContain(all, i => i.IsInvalid);
                        Assert.Equal(Mnemonic.Ret, all[^1].Mnemonic);
                        Assert.Equal(all.Where(i => i.Mnemonic == Mnemonic.Push).Select(i => i.Op0Register), all.Where(i => i.Mnemonic == Mnemonic.Pop).Select(i => i.Op0Register).Reverse());
                        Assert.Equal(isWindows ? 10 : 0, all.Count(i => i.Mnemonic == Mnemonic.Vmovups && i.MemoryBase == Register.RSP && i.Op0Kind == OpKind.Memory));
                        var starts = all.Select(i => i.IP).ToHashSet();
                        Assert.All(all.Where(i => i.FlowControl is FlowControl.ConditionalBranch or FlowControl.UnconditionalBranch), i => Assert.Contains(i.NearBranchTarget, starts));
                        Assert.Equal(all.Count, listing.Disassemble().Count(c => c == '\n'));
                    }
    }
}
