namespace AiOptix.Tensors;

/// <summary>The root of every error that AI Optix reports on purpose. Messages say what was wrong, where, what was expected and what to do.</summary>
public class AiOptixException : Exception
{
    /// <summary>Creates the error.</summary>
    public AiOptixException(string message, Exception? inner = null) : base(message, inner) { }
}

/// <summary>A model or tensor file is damaged, truncated, or not what it claims to be.</summary>
public sealed class ModelFormatException : AiOptixException
{
    /// <summary>Creates the error.</summary>
    public ModelFormatException(string message, Exception? inner = null) : base(message, inner) { }
}

/// <summary>Somebody asked for the elements of a tensor that has only its type and shape.</summary>
public sealed class AbsentElementsException : AiOptixException
{
    /// <summary>Creates the error.</summary>
    public AbsentElementsException(Tensor tensor, string name) : base($"the elements of the constant '{name}', {tensor}, are only there in packed form") => Name = name;

    /// <summary>What the tensor is called.</summary>
    public string Name { get; }
}

/// <summary>A graph is not valid: types, shapes, edges or attributes contradict each other.</summary>
public sealed class InvalidGraphException : AiOptixException
{
    /// <summary>Creates the error.</summary>
    public InvalidGraphException(string message, Exception? inner = null) : base(message, inner) { }
}

/// <summary>The model uses operators, or types of operators, that are not supported. All of them are named.</summary>
public sealed class UnsupportedModelException : AiOptixException
{
    /// <summary>Creates the error.</summary>
    public UnsupportedModelException(string message, Exception? inner = null) : base(message, inner) { }
}

/// <summary>An input of a run has the wrong name, rank, shape or value.</summary>
public sealed class InvalidInputException : AiOptixException
{
    /// <summary>Creates the error.</summary>
    public InvalidInputException(string message, Exception? inner = null) : base(message, inner) { }
}

/// <summary>An input of a run has the wrong element type.</summary>
public sealed class InputTypeException : AiOptixException
{
    /// <summary>Creates the error.</summary>
    public InputTypeException(string message, Exception? inner = null) : base(message, inner) { }
}

/// <summary>A model asks for more memory, depth, trips or time than <see cref="Limits"/> allow.</summary>
public sealed class LimitExceededException : AiOptixException
{
    /// <summary>Creates the error.</summary>
    public LimitExceededException(string message, Exception? inner = null) : base(message, inner) { }
}

/// <summary>A proof failed: an optimised model does not give the answers of its baseline.</summary>
public sealed class ProofFailedException : AiOptixException
{
    /// <summary>Creates the error.</summary>
    public ProofFailedException(string message, Exception? inner = null) : base(message, inner) { }
}
