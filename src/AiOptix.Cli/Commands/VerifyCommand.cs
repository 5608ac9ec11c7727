using System.CommandLine;
using System.Globalization;
using AiOptix.Optimization;
using AiOptix.Tensors;
using AiOptix.Verification;

namespace AiOptix.Cli.Commands;

/// <summary><c>optix verify</c>: runs models with recorded answers and names every one that does not give them.</summary>
internal static class VerifyCommand
{
    /// <summary>The command.</summary>
    /// <param name="terminal">Where it writes.</param>
    /// <param name="arguments">The whole command line, for a process with capped instruction sets.</param>
    public static Command Create(Terminal terminal, IReadOnlyList<string> arguments)
    {
        var paths = new Argument<string[]>("PATH")
        {
            Description = "Folders that hold, at any depth, a model with test_data_set_N folders, or NAME.onnx with NAME_output_0.pb.", Arity = ArgumentArity.OneOrMore,
        };
        var level = Options.Choice("--level", "plan", "How much of the system is verified.",
            ("reference", [VerificationLevel.Reference]), ("passes", [VerificationLevel.Passes]), ("plan", [VerificationLevel.Plan]),
            ("all", new[] { VerificationLevel.Reference, VerificationLevel.Passes, VerificationLevel.Plan }));
        var threads = Options.Threads();
        var isa = Options.Choice("--isa", "avx512", "Cap the instruction sets, those of the .NET runtime included.", ("none", IsaCap.None), ("avx2", IsaCap.Avx2), ("avx512", IsaCap.Avx512));
        var standard = new Tolerance();
        var relative = Options.Tolerance("--rtol", standard.Relative, "Allowed error per unit of the expected value.");
        var absolute = Options.Tolerance("--atol", standard.Absolute, "Allowed error of any value.");
        var scaled = Options.Tolerance("--scaled-atol", standard.Scaled, "Allowed error per unit of the output's largest magnitude.");
        var command = new Command("verify", "Run models with recorded answers and compare.") { paths, level, threads, isa, relative, absolute, scaled };
        command.SetAction((parsed, cancellation) =>
        {
            var cap = parsed.GetValue(isa);
            if (IsaProcess.RunCapped(cap, arguments) is { } code) return Task.FromResult(code);
            var options = new VerificationOptions
            {
                Threads = parsed.GetValue(threads),
                Isa = cap,
                Tolerance = new Tolerance(parsed.GetValue(relative), parsed.GetValue(absolute), parsed.GetValue(scaled)),
                Cancellation = cancellation,
            };
            return Task.FromResult(Verify([.. parsed.GetValue(paths)!.SelectMany(ModelCases.Find)], parsed.GetValue(level)!, options, terminal));
        });
        return command;
    }

    private static int Verify(IReadOnlyList<ModelCase> cases, VerificationLevel[] levels, VerificationOptions options, Terminal terminal)
    {
        int passed = 0, failed = 0, skipped = 0;
        foreach (var (modelCase, level) in cases.SelectMany(c => levels.Select(l => (c, l))))
        {
            options.Cancellation.ThrowIfCancellationRequested();
            var result = CaseVerifier.Verify(modelCase, level, options);
            var name = $"{modelCase.Name} ({level.ToString().ToLowerInvariant()})";
            if (result.Notice is { } notice) terminal.Error.WriteLine($"optix: {notice}");
            if (result.Passed)
            {
                passed++;
            }
            else if (result.Unsupported)
            {
                skipped++;
                terminal.Line($"skipped {name}: {result.Failure}");
            }
            else
            {
                failed++;
                terminal.Line($"FAILED {name}: {result.Failure}");
            }
        }
        terminal.Line(string.Create(CultureInfo.InvariantCulture, $"{passed} passed, {failed} failed, {skipped} skipped"));
        return failed == 0 && passed > 0 ? ExitCode.Done : ExitCode.BadInput;
    }
}
