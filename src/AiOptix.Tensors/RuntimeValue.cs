namespace AiOptix.Tensors;

/// <summary>Anything that flows along an edge of a graph when it runs: a tensor, a sequence, an optional.</summary>
public abstract class RuntimeValue : IDisposable
{
    /// <summary>Gives memory back early; without it the garbage collector does.</summary>
    public abstract void Dispose();
}
