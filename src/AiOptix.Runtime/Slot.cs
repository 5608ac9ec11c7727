using AiOptix.Graphs;
using AiOptix.Tensors;

namespace AiOptix.Runtime;

/// <summary>What a slot's memory is.</summary>
public enum SlotKind
{
    /// <summary>Given by the caller for one run.</summary>
    Input,
    /// <summary>Part of the program.</summary>
    Constant,
    /// <summary>Scratch of a run.</summary>
    Intermediate,
    /// <summary>Handed to the caller: his memory, or a pooled buffer.</summary>
    Output,
}

/// <summary>A place that steps read from and write to: one value of the graph.</summary>
/// <param name="Index">Its index in the program.</param>
/// <param name="Name">The value's name.</param>
/// <param name="Type">The value's type; null when inference could not tell.</param>
/// <param name="Kind">What its memory is.</param>
/// <param name="Constant">The tensor of a constant.</param>
/// <param name="AliasOf">The slot whose memory it shares, or -1.</param>
public sealed record Slot(int Index, string Name, GraphType? Type, SlotKind Kind, Tensor? Constant = null, int AliasOf = -1)
{
    /// <summary>The symbolic shape when it is a tensor of known rank.</summary>
    public SymbolicShape? Shape => (Type as TensorType)?.Shape;

    /// <summary>The element type; Undefined when it is not a tensor.</summary>
    public DType DType => (Type as TensorType)?.DType ?? DType.Undefined;

    /// <summary>True when it can lie in planned native memory: a tensor with a raw form.</summary>
    public bool IsRaw => DType is not (DType.Undefined or DType.String);
}
