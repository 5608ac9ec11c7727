using AiOptix.Tensors;

namespace AiOptix.Data;

/// <summary>A sample that could not be read.</summary>
/// <param name="Index">Which one.</param>
/// <param name="Location">Where it comes from: file and row.</param>
/// <param name="Cause">Why.</param>
/// <param name="Replacement">The index of the sample that took its place; null when none did.</param>
public sealed record SampleError(long Index, string Location, Exception Cause, long? Replacement)
{
    /// <summary>Where and why, on one line.</summary>
    public override string ToString() => Cause.Message.StartsWith(Location, StringComparison.Ordinal) ? Cause.Message : $"{Location}: {Cause.Message}";
}

/// <summary>A sample could not be read and the loader was told to raise.</summary>
public sealed class SampleException : AiOptixException
{
    /// <summary>Creates the error.</summary>
    public SampleException(SampleError error) : base($"sample {error.Index} cannot be read: {error}", error.Cause) => Error = error;

    /// <summary>The sample.</summary>
    public SampleError Error { get; }
}
