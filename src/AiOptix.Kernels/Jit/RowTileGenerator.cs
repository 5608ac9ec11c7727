using AiOptix.Tensors;

using AiOptix.Kernels.Loops;

namespace AiOptix.Kernels.Jit;

/// <summary>
/// What generated product tiles share whose rows of A lie at one distance: where rows are addressed from, and the loop over the steps of a piece.
/// A base and a multiple of the stride that an address can hold reach every row: rows 0, 1, 2, 4, 8 from the first base, 5, 6, 7, 9, 13 from the second, and so on.
/// General registers: rax, r9, r10 and rbx A, rcx steps, r8 the stride of A.
/// </summary>
internal abstract class RowTileGenerator(int vectorBytes, int rows) : KernelGenerator(vectorBytes)
{
    protected const Gpr A = Gpr.Rax, Steps = Gpr.Rcx, AStride = Gpr.R8;
    private const int StepsAtOnce = 4;
    private const int LineBytes = 64;

    // Weights come from memory once a run, and the machine's own prefetching begins anew at every page of 4 KiB: how far ahead of the sums they are asked for, bytes.
    internal const int Ahead = 8192;

    // The same for rows of B that lie far apart, each perhaps in another page: steps. Rows that fall into one set of the first-level cache push each other out when many are asked for.
    private const int StepsAhead = 20, FewStepsAhead = 10;

    // Where sums are short, weights are near and what a tile reads of A may come from far away: how many tiles ahead A is asked for instead.
    private const int TilesAhead = 4;

    private static readonly Gpr[] bases = [A, Gpr.R9, Gpr.R10, Gpr.Rbx];
    private static readonly int[] baseRows = [0, 5, 3, 10];

    /// <summary>Whether tiles that read so many bytes of A in all find them beyond the second-level cache.</summary>
    internal static bool IsFar(double bytes, Target target) => bytes > target.L2Bytes / 2;

    /// <summary>What <see cref="TileArguments.AheadOfA"/> is for tiles whose rows of A lie one behind the other.</summary>
    /// <param name="tileBytes">Bytes of A that a tile reads.</param>
    internal static nint AheadOfA(nint tileBytes) => TilesAhead * tileBytes - Ahead;

    /// <summary>What <see cref="TileArguments.Elsewhere"/> is for a B in place: the rows that come next are asked for.</summary>
    /// <param name="stride">Bytes from a row to the next.</param>
    internal static nint RowsAhead(nint stride) => (CacheSets.AreOne(stride / sizeof(float)) ? FewStepsAhead : StepsAhead) * stride - Ahead;

    /// <summary>Sets the other bases from the first one, as far as rows need them.</summary>
    protected void PlaceRows()
    {
        if (rows <= baseRows[2]) return;
        Code.Address(Gpr.R9, new(AStride) { Index = AStride, Scale = 2 });
        Code.Address(Gpr.Rbx, new(A) { Index = Gpr.R9, Scale = 1 });
        Code.Address(Gpr.R10, new(AStride) { Index = AStride, Scale = 1 });
        Code.Add(Gpr.R9, A);
        Code.Add(Gpr.R10, A);
    }

    /// <summary>Moves all bases on.</summary>
    protected void AdvanceRows(int bytes)
    {
        for (var i = 0; i < bases.Length; i++)
            if (rows > baseRows[i]) Code.Add(bases[i], bytes);
    }

    /// <summary>What lies some bytes behind the bases in a row.</summary>
    protected static Mem Row(int row, int displacement)
    {
        for (var i = 0; i < bases.Length; i++)
        {
            var multiple = row - baseRows[i];
            if (multiple == 0) return new(bases[i], displacement);
            if (multiple is 1 or 2 or 4 or 8) return new(bases[i], displacement) { Index = AStride, Scale = int.Log2(multiple) };
        }
        throw new ArgumentOutOfRangeException(nameof(row), row, "a tile has no such row");
    }

    /// <summary>Asks for the lines of B that a later step will read.</summary>
    /// <param name="b">The register that points to B.</param>
    /// <param name="bytes">What a step reads.</param>
    /// <param name="offset">Where it begins to, bytes behind the register.</param>
    /// <param name="index">A register that is added.</param>
    protected void PrefetchAhead(Gpr b, int bytes, int offset = 0, Gpr index = Gpr.Rsp)
    {
        for (var line = 0; line < bytes; line += LineBytes) Code.Prefetch(new(b, Ahead + offset + line) { Index = index });
    }

    /// <summary>Writes the loop over the steps of a piece, some at once and then one by one.</summary>
    /// <param name="count">The argument that holds their number.</param>
    /// <param name="several">Writes so many steps.</param>
    protected void StepsOfPiece(Mem count, Action<int> several)
    {
        Label blocks = new(), rest = new(), one = new(), done = new();
        Code.Load(Steps, count);
        Code.Subtract(Steps, StepsAtOnce);
        Code.JumpIfLess(rest);
        Code.Set(blocks);
        several(StepsAtOnce);
        Code.Subtract(Steps, StepsAtOnce);
        Code.JumpIfNotLess(blocks);
        Code.Set(rest);
        Code.Add(Steps, StepsAtOnce);
        Code.JumpIfZero(done);
        Code.Set(one);
        several(1);
        Code.Decrement(Steps);
        Code.JumpIfNotZero(one);
        Code.Set(done);
    }
}
