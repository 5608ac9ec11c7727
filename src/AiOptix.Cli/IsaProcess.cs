using System.Diagnostics;
using AiOptix.Tensors;

namespace AiOptix.Cli;

/// <summary>
/// Caps instruction sets for a whole process, the .NET runtime's own code included: the switches are read when the runtime starts, so a child process does the work.
/// </summary>
internal static class IsaProcess
{
    private const string Marker = "AIOPTIX_ISA_CAP";

    /// <summary>Runs the same command line in a capped process when the cap is below what this one has.</summary>
    /// <param name="cap">The cap.</param>
    /// <param name="arguments">The command line.</param>
    /// <returns>The child's exit code; null when this process is already capped, or need not be.</returns>
    /// <exception cref="AiOptixException">This process should be capped and is not.</exception>
    public static int? RunCapped(IsaCap cap, IReadOnlyList<string> arguments)
    {
        var has = MachineReport.Create().StrongestCap;
        if (has <= cap) return null;
        if (Environment.GetEnvironmentVariable(Marker) is not null)
            throw new AiOptixException($"the process was started with instruction sets capped at {cap}, but the runtime still uses {has}: nothing was verified");
        var start = new ProcessStartInfo(Environment.ProcessPath!) { UseShellExecute = false };
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet") start.ArgumentList.Add(Environment.GetCommandLineArgs()[0]);
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        start.Environment[Marker] = cap.ToString();
        start.Environment["DOTNET_EnableAVX512"] = "0";
        if (cap == IsaCap.None) start.Environment["DOTNET_EnableAVX2"] = "0";
        using var child = Process.Start(start)!;
        child.WaitForExit();
        return child.ExitCode;
    }
}
