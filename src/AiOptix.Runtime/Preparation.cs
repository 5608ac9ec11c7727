namespace AiOptix.Runtime;

/// <summary>Makes code ready that steps of a program may run: compiles it, so that no run has to. May run at the same time as others.</summary>
/// <param name="Name">What is made ready; the same name stands for the same code.</param>
/// <param name="Run">Makes it ready.</param>
public sealed record Preparation(string Name, Action Run);
