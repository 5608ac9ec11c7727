namespace AiOptix.Cli;

/// <summary>The command line asks for something that cannot be, found only after parsing.</summary>
internal sealed class UsageException(string message) : Exception(message);
