using System.CommandLine;
using System.CommandLine.Invocation;
using AiOptix.Cli.Commands;
using AiOptix.Tensors;

namespace AiOptix.Cli;

/// <summary>The commands, and what becomes of their errors.</summary>
internal static class CommandLine
{
    /// <summary>Runs one command line.</summary>
    /// <param name="arguments">What stood behind the program's name.</param>
    /// <param name="terminal">Where it writes.</param>
    /// <param name="cancellation">Ends it early.</param>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    public static int Run(string[] arguments, Terminal terminal, CancellationToken cancellation = default)
    {
        var root = new RootCommand("AI Optix makes trained models (ONNX) fast on the CPU they stand on, and proves that their answers still hold.")
        {
            DemoCommand.Create(terminal),
            InspectCommand.Create(terminal),
            RunCommand.Create(terminal),
            VerifyCommand.Create(terminal, arguments),
            OptimizeCommand.Create(terminal, arguments),
            TuneCommand.Create(terminal),
            CompileCommand.Create(terminal),
            BenchCommand.Create(terminal),
            ProfileCommand.Create(terminal),
            ZooCommand.Create(terminal),
            DoctorCommand.Create(terminal),
        };
        var parsed = root.Parse(arguments);
        if (parsed.Action is ParseErrorAction)
        {
            foreach (var error in parsed.Errors) terminal.Error.WriteLine($"optix: {error.Message}");
            var command = parsed.CommandResult.Command;
            terminal.Error.WriteLine($"See: optix {(command == root ? "" : command.Name + " ")}--help");
            return ExitCode.Usage;
        }
        return Invoke(parsed, terminal, cancellation);
    }

    private static int Invoke(ParseResult parsed, Terminal terminal, CancellationToken cancellation)
    {
        try
        {
            return parsed.InvokeAsync(new InvocationConfiguration
            {
                Output = terminal.Output,
                Error = terminal.Error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            }, cancellation).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException)
        {
            terminal.Error.WriteLine("optix: cancelled");
            return ExitCode.Cancelled;
        }
        catch (UsageException e)
        {
            terminal.Error.WriteLine($"optix: {e.Message}");
            return ExitCode.Usage;
        }
        catch (ProofFailedException e)
        {
            terminal.Error.WriteLine($"optix: {e.Message}");
            return ExitCode.ProofFailed;
        }
        catch (Exception e) when (e is AiOptixException or IOException or UnauthorizedAccessException)
        {
            terminal.Error.WriteLine($"optix: {e.Message}");
            return ExitCode.BadInput;
        }
    }
}
