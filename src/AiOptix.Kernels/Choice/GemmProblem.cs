using System.Globalization;
using AiOptix.Kernels.Gemm;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Choice;

/// <summary>How a product may get its B.</summary>
public enum GemmOperand
{
    /// <summary>It is constant, and may be packed beforehand or be read as it lies.</summary>
    Either,
    /// <summary>It is constant and packed beforehand.</summary>
    Packed,
    /// <summary>It is read as it lies.</summary>
    InPlace,
}

/// <summary>A float32 matrix product: <c>gemm:M=128,N=768,K=3072</c>, with <c>batch=12</c>, <c>b=packed</c> or <c>b=inplace</c>, and <c>turned</c> when the rows of B are adjacent instead of its columns.</summary>
/// <param name="M">Rows of A and C.</param>
/// <param name="N">Columns of B and C.</param>
/// <param name="K">Columns of A, rows of B.</param>
/// <param name="Batch">How many such products, each with operands of its own.</param>
/// <param name="B">How B is had.</param>
/// <param name="IsTurned">B lies as [N, K].</param>
public sealed record GemmProblem(int M, int N, int K, int Batch = 1, GemmOperand B = GemmOperand.Either, bool IsTurned = false) : KernelProblem
{
    private const string InPlace = "_inplace";

    /// <inheritdoc/>
    public override string Key => string.Create(CultureInfo.InvariantCulture,
        $"gemm:M={M},N={N},K={K}{(Batch == 1 ? "" : $",batch={Batch}")}{(B == GemmOperand.Either ? "" : $",b={(B == GemmOperand.Packed ? "packed" : "inplace")}")}{(IsTurned ? ",turned" : "")}");

    /// <inheritdoc/>
    public override double Operations => 2.0 * M * N * K * Batch;

    private protected override double Elements => Math.Max((double)M * N, Math.Max((double)M * K, (double)K * N)) * Batch;

    /// <summary>The row of the table and the form of B that a candidate's name says.</summary>
    public static (GemmKernel Kernel, bool IsPacked) Form(string candidate) =>
        candidate.EndsWith(InPlace, StringComparison.Ordinal) ? (GemmTable.Named(candidate[..^InPlace.Length]), false) : (GemmTable.Named(candidate), true);

    /// <inheritdoc/>
    public override IReadOnlyList<string> Candidates(Target target)
    {
        var all = new List<string>();
        for (var i = 0; i < GemmTable.Rows.Count - 1; i++)
        {
            var row = GemmTable.Rows[i];
            if (!target.Has(row.Isa)) continue;
            if (B != GemmOperand.InPlace) all.Add(row.Name);
            if (B != GemmOperand.Packed) all.Add(row.Name + InPlace);
        }
        return all;
    }

    /// <inheritdoc/>
    public override KernelWork Work(string candidate, Target target)
    {
        var (kernel, isPacked) = Form(candidate);
        return GemmPlan.Work(new(M, N, K, Batch, PackedB: isPacked), target, kernel, columnsOfB: !IsTurned);
    }

    /// <summary>A single row runs on a kernel of its own, unless it is one tile or B has to be packed first.</summary>
    public override string RowOf(string candidate)
    {
        var (kernel, isPacked) = Form(candidate);
        return GemmPlan.IsVector(new(M, N, K, Batch, PackedB: isPacked), kernel, !IsTurned) ? $"{GemvTable.For(kernel.VectorWidth).Name}{(isPacked ? "" : InPlace)}" : kernel.Name;
    }

    /// <inheritdoc/>
    public override unsafe KernelTrial Try(string candidate, Target target)
    {
        var (kernel, isPacked) = Form(candidate);
        var plan = new GemmPlan(new(M, N, K, Batch, PackedB: isPacked), target, kernel);
        var matrix = (long)N * K;
        var floats = isPacked ? plan.PackedBBytes / sizeof(float) : matrix;
        var trial = KernelTrial.Of(Batch * floats * sizeof(float), target);
        float* a = trial.Floats((long)Batch * M * K), b = trial.Floats(isPacked ? matrix : trial.Copies * Batch * matrix), c = (float*)trial.Bytes(sizeof(float) * (long)Batch * M * N), bias = trial.Floats(N);
        var weights = isPacked ? (float*)trial.Bytes(trial.Copies * Batch * floats * sizeof(float)) : b;
        for (long i = 0; isPacked && i < trial.Copies * Batch; i++) plan.PackB(b, IsTurned ? 1 : N, IsTurned ? K : 1, weights + i * floats);
        var scratch = trial.Bytes(plan.ScratchBytes);
        return trial.Do(turn =>
        {
            var call = new GemmCall
            {
                A = a, ARowStride = K, ABatchStride2 = 0, ABatchStride1 = (nint)M * K,
                B = weights + turn * Batch * floats, BRowStride = IsTurned ? 1 : N, BColumnStride = IsTurned ? K : 1, BBatchStride1 = (nint)floats,
                C = c, CRowStride = N, CBatchStride1 = (nint)M * N,
                ColumnBias = bias, Activation = Activation.Relu,
            };
            plan.Run(call, 0, plan.Tasks, scratch);
        });
    }

    /// <summary>Reads the text behind the operation.</summary>
    internal static GemmProblem Read(ProblemText words)
    {
        return new(words.Number("M", 1), words.Number("N", 1), words.Number("K", 1), words.Number("batch", 1, 1), words.Word("b", "either") switch
        {
            "either" => GemmOperand.Either,
            "packed" => GemmOperand.Packed,
            "inplace" => GemmOperand.InPlace,
            var other => throw words.Wrong($"b is '{other}', expected either, packed or inplace"),
        }, words.Flag("turned"));
    }
}
