namespace AiOptix.Tensors;

/// <summary>Anything that flows along an edge of a graph when it runs: a tensor, a sequence, an optional.</summary>
public abstract class RuntimeValue : IDisposable
{
    /// <summary>A further holder of the same content; each holder is disposed of on its own.</summary>
    public abstract RuntimeValue Share();

    /// <summary>Gives memory back early; without it the garbage collector does.</summary>
    public abstract void Dispose();
}
