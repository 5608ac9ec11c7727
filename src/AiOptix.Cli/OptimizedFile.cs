using AiOptix.Optimization;
using AiOptix.Tensors;

namespace AiOptix.Cli;

/// <summary>The file that an optimisation writes. It is written beside its place, read again and proven there, and only then put in place.</summary>
internal sealed class OptimizedFile(string target, FileDialect dialect, Terminal terminal)
{
    private const int SamplesOfFile = 4;

    private readonly string full = Path.GetFullPath(target);

    /// <summary>Where a search keeps what it found out.</summary>
    public string StatePath => target + ".search.json";

    /// <summary>Whether a model was put in place.</summary>
    public bool IsWritten { get; private set; }

    /// <summary>Writes an fp32 form: the file must give the baseline's answers.</summary>
    public void WriteFloat(Model baseline, Model optimized, IReadOnlyList<Tensor[]> samples, OptimizerOptions options, CancellationToken cancellation)
    {
        var compile = new CompileOptions { Threads = options.Threads, Rewrite = false };
        Write(optimized, file => Prove(baseline, compile, file, compile, samples, options.Tolerance, cancellation));
    }

    /// <summary>Writes a quantised form that was proven: the file must give the very same answers.</summary>
    public void WriteQuantized(Model optimized, IReadOnlyList<Tensor[]> samples, int threads, CancellationToken cancellation)
    {
        var compile = new CompileOptions { Threads = threads };
        Write(optimized, file => Prove(optimized, compile, file, compile, [.. samples.Take(SamplesOfFile)], new Tolerance(Relative: 0, Absolute: 0), cancellation));
        terminal.Error.WriteLine($"kept in {target}: the best form proven so far");
    }

    private static Proof Prove(Model expected, CompileOptions how, Model found, CompileOptions compile, IReadOnlyList<Tensor[]> samples, Tolerance tolerance, CancellationToken cancellation)
    {
        using var before = expected.Compile(how);
        using var after = found.Compile(compile);
        return Optimizer.Prove(before, after, samples, tolerance, progress: null, cancellation);
    }

    /// <summary>A pair of model and data file is written anew in its place, since two files cannot be moved as one.</summary>
    private void Write(Model optimized, Func<Model, Proof> prove)
    {
        var folder = Directory.CreateDirectory($"{full}.{Guid.NewGuid():N}.tmp").FullName;
        try
        {
            var written = Path.Combine(folder, Path.GetFileName(full));
            optimized.Save(written, dialect);
            var proof = prove(Model.Load(written));
            if (!proof.Holds) throw new ProofFailedException($"the written file does not give the model's answers, so it was removed: {OptimizationReport.Problem(proof)}");
            if (Directory.GetFiles(folder).Length == 1) File.Move(written, full, overwrite: true);
            else optimized.Save(full, dialect);
            IsWritten = true;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
