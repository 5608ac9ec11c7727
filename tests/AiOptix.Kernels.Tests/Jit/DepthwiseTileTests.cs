using AiOptix.Kernels.Elementwise;
using AiOptix.Kernels.Jit;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;
using Iced.Intel;

namespace AiOptix.Kernels.Tests.Jit;

/// <summary>Generated depthwise tiles, alone.</summary>
public unsafe class DepthwiseTileTests
{
    public static TheoryData<bool> Widths => [true, false];

    // Every length; taps that fit into registers and that do not; edges that cut none, some or all of the positions.
    private static IEnumerable<DepthwiseCode> Codes(int vectorBytes, Random random)
    {
        for (var pixels = 1; pixels <= DepthwiseCode.Height(vectorBytes); pixels++)
            foreach (var taps in new[] { 1, 2, 3, 5, 7, 12, 31 })
                foreach (var (stride, dilation) in new[] { (1, 1), (2, 1), (3, 1), (1, 2), (2, 3) })
                    foreach (var hasTail in new[] { false, true })
                    {
                        var reach = (pixels - 1) * stride + (taps - 1) * dilation + 1;
                        int first = random.Next(3) == 0 ? random.Next(reach + 1) : 0, end = random.Next(3) == 0 ? random.Next(first, reach + 1) : reach;
                        yield return new(vectorBytes, pixels, hasTail, taps, stride, dilation, first, end);
                    }
    }

    [SkippableTheory]
    [MemberData(nameof(Widths))]
    public void Every_tile_gives_the_bits_of_a_plain_loop(bool isWide)
    {
        Sweep.Require((isWide ? Isa.Avx512 : Isa.Avx2) | Isa.Jit);
        var random = new Random(6);
        foreach (var code in Codes(isWide ? 64 : 32, random)) Check(code, random);
    }

    // Buffers end at inaccessible pages: what lies in the input and nothing else is read. Some numbers are NaN or infinite; several vectors of channels, or one that is partly used.
    private static void Check(DepthwiseCode code, Random random)
    {
        int lanes = code.VectorBytes / sizeof(float), vectors = code.HasTail ? 1 : random.Next(1, 4), channels = code.HasTail ? random.Next(1, lanes) : vectors * lanes;
        int lines = random.Next(0, 4), pitch = channels + random.Next(3), gap = channels + random.Next(3), positions = code.End - code.First, panel = Math.Max(1, lines) * code.Taps * lanes;
        using var x = new GuardedBuffer(Sweep.Floats(random, positions * lines == 0 ? 0 : (positions * lines - 1) * pitch + channels, specials: random.Next(3) == 0));
        using var w = new GuardedBuffer(Sweep.Floats(random, vectors * panel));
        using var y = new GuardedBuffer(Sweep.Floats(random, (code.Pixels - 1) * gap + channels));
        using var residual = new GuardedBuffer(Sweep.Floats(random, (code.Pixels - 1) * gap + channels));
        using var bias = new GuardedBuffer(Sweep.Floats(random, channels));
        var offsets = stackalloc int[2 * Math.Max(1, lines)];
        for (var i = 0; i < lines; i++) (offsets[2 * i], offsets[2 * i + 1]) = (i * positions * pitch, i * code.Taps * lanes);
        ActivationArgs args = new(0.2f, 1.5f);
        var last = (Activation)random.Next(Enum.GetValues<Activation>().Length);
        var activation = TileActivation.Of(last, lanes);
        if (activation.IsLeft(last)) last = Activation.None;
        var flags = ((TileFlags)random.Next(16) & (TileFlags.ColumnBias | TileFlags.Residual)) | activation.Flag;
        var expected = y.Span.ToArray();
        TileArguments t = default;
        t.A = (byte*)x.Pointer;
        t.B = (byte*)w.Pointer;
        t.C = (byte*)y.Pointer;
        t.Residual = (byte*)residual.Pointer;
        t.ColumnBias = (byte*)bias.Pointer;
        t.Offsets = offsets;
        t.Tail = (code.VectorBytes == 64 ? GeneratedTiles.Avx512 : GeneratedTiles.Avx2).Set.TailOf(channels);
        (t.Pieces, t.Flags, t.Tiles) = (lines, (nint)flags, vectors);
        (t.AStride, t.BStride, t.CStride, t.ResidualStride) = (pitch * 4, panel * 4, gap * 4, gap * 4);
        activation.Describe(&t, args);
        var kernel = CodeCache.Shared.Get(code);
        ((delegate* unmanaged<TileArguments*, void>)kernel.Address)(&t);
        GC.KeepAlive(kernel);
        for (var pixel = 0; pixel < code.Pixels; pixel++)
            for (var c = 0; c < channels; c++)
            {
                var sum = 0f;
                for (var i = 0; i < lines; i++)
                    for (var tap = 0; tap < code.Taps; tap++)
                    {
                        var position = pixel * code.Stride + tap * code.Dilation;
                        if (position < code.First || position >= code.End) continue;
                        sum = MathF.FusedMultiplyAdd(x.Span[(i * positions + position - code.First) * pitch + c], w.Span[c / lanes * panel + (i * code.Taps + tap) * lanes + c % lanes], sum);
                    }
                if (flags.HasFlag(TileFlags.ColumnBias)) sum += bias.Span[c];
                if (flags.HasFlag(TileFlags.Residual)) sum += residual.Span[pixel * gap + c];
                UnaryTable.Of(UnaryKinds.Of(last), DType.Float32)[^1].Run(&sum, &sum, 1, &args);
                expected[pixel * gap + c] = sum;
            }
        Sweep.AssertSame(expected, y.Span, $"{code.Name}, {lines} lines, {channels} channels, {flags}, {last}");
    }

    [Fact]
    public void Code_for_both_calling_conventions_is_whole_and_keeps_what_it_must()
    {
        foreach (var code in Codes(64, new(1)).Concat(Codes(32, new(2))))
            foreach (var isWindows in new[] { false, true })
            {
                var listing = new KernelListing(code.Name, code.Generator().Generate(isWindows).ToArray());
                var all = listing.Decode();
                Assert.DoesNotContain(all, i => i.IsInvalid);
                Assert.Equal(Mnemonic.Ret, all[^1].Mnemonic);
                Assert.Equal(all.Where(i => i.Mnemonic == Mnemonic.Push).Select(i => i.Op0Register), all.Where(i => i.Mnemonic == Mnemonic.Pop).Select(i => i.Op0Register).Reverse());
                Assert.Equal(isWindows ? 10 : 0, all.Count(i => i.Mnemonic == Mnemonic.Vmovups && i.MemoryBase == Register.RSP && i.Op0Kind == OpKind.Memory));
                var starts = all.Select(i => i.IP).ToHashSet();
                Assert.All(all.Where(i => i.FlowControl is FlowControl.ConditionalBranch or FlowControl.UnconditionalBranch), i => Assert.Contains(i.NearBranchTarget, starts));
            }
    }
}
