namespace AiOptix.Cli;

/// <summary>What the command line tells the shell. The numbers are part of its contract.</summary>
internal static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Done = 0;

    /// <summary>A file, model or value that was given is wrong; or, for <c>verify</c>, a case failed or none ran.</summary>
    public const int BadInput = 1;

    /// <summary>The command line itself is wrong.</summary>
    public const int Usage = 2;

    /// <summary>A proof failed: nothing was written.</summary>
    public const int ProofFailed = 3;

    /// <summary>The cost model picks a kernel that lags the best by more than is allowed (<c>bench --kernels</c>).</summary>
    public const int PickLags = 3;

    /// <summary>Ended by a signal, as shells count it.</summary>
    public const int Cancelled = 130;
}
