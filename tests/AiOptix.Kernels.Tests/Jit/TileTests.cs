using AiOptix.Kernels.Elementwise;
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
        int steps = random.Next(0, 11), pieces = form != TileForm.Adjacent ? random.Next(1, 4) : 1;
        int count = random.Next(1, 4), lane = rows + random.Next(3), gap = columns + random.Next(3), width = columns + random.Next(2);
        int row = steps + random.Next(3), piece = rows * row;
        var aFloats = form != TileForm.Adjacent ? pieces * rows * count * row : Math.Max(1, steps) * lane * count;
        using var a = new GuardedBuffer(Sweep.Floats(random, Math.Max(1, aFloats), specials: random.Next(3) == 0));
        using var b = new GuardedBuffer(Sweep.Floats(random, (Math.Max(1, pieces * steps) - 1) * width + columns));
        using var c = new GuardedBuffer(Sweep.Floats(random, (rows * count - 1) * gap + columns));
        using var residual = new GuardedBuffer(Sweep.Floats(random, (rows * count - 1) * gap + columns));
        using var columnBias = new GuardedBuffer(Sweep.Floats(random, columns));
        using var rowBias = new GuardedBuffer(Sweep.Floats(random, rows));
        var offsets = stackalloc int[pieces];
        for (var i = 0; i < pieces; i++) offsets[i] = i * piece * count;
        ActivationArgs args = new(0.2f, 1.5f);
        var last = (Activation)random.Next(Enum.GetValues<Activation>().Length);
        var activation = TileActivation.Of(last, tiles.Set.Lanes);
        if (activation.IsLeft(last)) last = Activation.None;
        var flags = (TileFlags)random.Next(16) | activation.Flag;
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
        t.Alpha = 0.75f;
        activation.Describe(&t, args);
        using var panel = new GuardedBuffer(form == TileForm.Packing ? pieces * steps * tiles.Set.Width : 0);
        t.Panel = (byte*)panel.Pointer;
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
                            not TileForm.Adjacent => a.Span[k / steps * piece * count + tile * piece + r * row + k % steps],
                            _ => a.Span[tile * Math.Max(1, steps) * lane + k * lane + r],
                        };
                        sum = MathF.FusedMultiplyAdd(x, b.Span[k * width + j], sum);
                    }
                    if (flags.HasFlag(TileFlags.Scale)) sum = MathF.FusedMultiplyAdd(sum, 0.75f, rowBias.Span[r]);
                    if (flags.HasFlag(TileFlags.ColumnBias)) sum += columnBias.Span[j];
                    if (flags.HasFlag(TileFlags.Residual)) sum += residual.Span[at];
                    UnaryTable.Of(UnaryKinds.Of(last), DType.Float32)[^1].Run(&sum, &sum, 1, &args);
                    Assert.True(Sweep.Same(sum, c.Span[at]), $"{form} {rows}x{columns}, {pieces} pieces of {steps}, {flags}, {last}: tile {tile} [{r},{j}] = {c.Span[at]:R}, expected {sum:R}");
                    before[at] = c.Span[at];
                }
        Sweep.AssertSame(before, c.Span, $"{form} {rows}x{columns} beside its columns");
        for (var k = 0; k < pieces * steps && form == TileForm.Packing; k++)
            Assert.Equal(b.Span.Slice(k * width, columns), panel.Span.Slice(k * tiles.Set.Width, columns));
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

    /// <summary>Every number of accumulators, every activation that tiles call code for; tiles alone meet few pairs of both.</summary>
    [SkippableFact]
    public void Activations_that_tiles_call_give_the_bits_of_the_scalar_function()
    {
        var set = Tiles(isWide: true).Set;
        var random = new Random(8);
        float[] bias = [0f, -0f, 1e-40f, -1e-40f, 0.3f, -0.3f, 1f, -1f, 3f, -3f, 20f, -20f, 88f, -88f, 100f, -100f, 1e30f, -1e30f, float.NaN, float.PositiveInfinity, float.NegativeInfinity, -1.5f, 5.2f, -9f, -104f, 0.01f, -0.01f, 7f, -7f, 2f, 50f, -50f];
        var nowhere = 0;
        foreach (var kind in Enum.GetValues<Activation>())
        {
            var activation = TileActivation.Of(kind, set.Lanes);
            if (activation.Flag != TileFlags.Function) continue;
            foreach (var columns in new[] { set.Lanes, set.Width })
                for (var rows = 1; rows <= set.Height; rows++)
                {
                    GeneratedTiles.Avx512.Prepare(TileForm.Strided, rows, columns);
                    var c = Sweep.Floats(random, rows * columns);
                    var expected = new float[c.Length];
                    ActivationArgs args = new((float)random.NextDouble() + 0.5f, (float)random.NextDouble() + 0.5f);
                    fixed (float* y = c, add = bias, e = expected)
                    {
                        for (var i = 0; i < c.Length; i++) e[i] = y[i] * 4 + add[i % columns];
                        UnaryTable.Of(UnaryKinds.Of(kind), DType.Float32)[^1].Run(e, e, c.Length, &args);
                        for (var i = 0; i < c.Length; i++) y[i] *= 4;
                        TileArguments t = default;
                        t.Offsets = &nowhere;
                        t.C = (byte*)y;
                        t.ColumnBias = (byte*)add;
                        (t.Tiles, t.CStride) = (1, columns * sizeof(float));
                        t.Flags = (nint)(TileFlags.Accumulate | TileFlags.ColumnBias | activation.Flag);
                        activation.Describe(&t, args);
                        set.Run(TileForm.Strided, rows, columns, &t);
                    }
                    Sweep.AssertSame(expected, c, $"{kind} of {rows}x{columns}");
                }
        }
    }

    /// <summary>Code of activations is whole, jumps to instructions, and leaves the stack as it was.</summary>
    [Fact]
    public void Code_of_activations_is_whole()
    {
        foreach (var kind in Enum.GetValues<Activation>().Where(a => a is > Activation.Clip))
        {
            var code = new ActivationCode(kind, new VectorCode(TileActivation.Trace(kind)));
            var listing = new KernelListing(code.Name, code.Generator().Generate(false).ToArray());
            var all = listing.Decode();
            Assert.DoesNotContain(all, i => i.IsInvalid);
            Assert.Equal(Mnemonic.Ret, all[^1].Mnemonic);
            var starts = all.Select(i => i.IP).ToHashSet();
            Assert.All(all.Where(i => i.FlowControl is FlowControl.ConditionalBranch or FlowControl.UnconditionalBranch), i => Assert.Contains(i.NearBranchTarget, starts));
            Assert.Equal(all.Count(i => i.Op0Kind == OpKind.Register && i.Op1Kind == OpKind.Register && i.Op1Register == Register.RSP), all.Count(i => i.Op1Kind == OpKind.Register && i.Op0Kind == OpKind.Register && i.Op0Register == Register.RSP));
        }
    }
}
