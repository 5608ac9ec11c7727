namespace AiOptix;

/// <summary>Which operators a saved model may use.</summary>
public enum FileDialect
{
    /// <summary>Those of the ONNX specification, and those of other domains that the file had and that have no other form.</summary>
    Standard,

    /// <summary>Those of ONNX Runtime's own domain (<c>com.microsoft</c>) as well, where the model's operator set lacks a standard one.</summary>
    OnnxRuntime,
}
