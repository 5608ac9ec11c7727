using AiOptix.Tensors;

namespace AiOptix.Optimization;

/// <summary>There are too few samples for the claim that a budget asks for.</summary>
public sealed class NotEnoughDataException : AiOptixException
{
    /// <summary>Creates the error.</summary>
    /// <param name="message">What is claimed, what is there.</param>
    /// <param name="samplesNeeded">How many samples would do.</param>
    public NotEnoughDataException(string message, long samplesNeeded) : base(message) => SamplesNeeded = samplesNeeded;

    /// <summary>How many samples would do, even if none goes wrong.</summary>
    public long SamplesNeeded { get; }
}
