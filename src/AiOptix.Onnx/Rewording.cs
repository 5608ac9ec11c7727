using AiOptix.Tensors;

namespace AiOptix.Onnx;

/// <summary>Adds to an error's message where it happened, and keeps its type.</summary>
internal static class Rewording
{
    /// <summary>The same error with a place in front of its message.</summary>
    public static AiOptixException Prefix(AiOptixException error, string place)
    {
        if (error.Message.StartsWith(place, StringComparison.Ordinal)) return error;
        var message = $"{place}: {error.Message}";
        return error switch
        {
            ModelFormatException => new ModelFormatException(message, error),
            InvalidGraphException => new InvalidGraphException(message, error),
            UnsupportedModelException => new UnsupportedModelException(message, error),
            InvalidInputException => new InvalidInputException(message, error),
            InputTypeException => new InputTypeException(message, error),
            LimitExceededException => new LimitExceededException(message, error),
            _ => new AiOptixException(message, error),
        };
    }
}
