using AiOptix.Tensors;

namespace AiOptix.Runtime;

/// <summary>
/// The sessions of a model that was compiled again for the extents of its inputs, found by the inputs' shapes. The first few shapes get one each; what comes later runs the general
/// program, so that lengths that never come twice do not compile without end.
/// </summary>
internal sealed class SettledSessions(Session general, Func<IReadOnlyDictionary<string, long>, Program?> settle) : IDisposable
{
    private const int Capacity = 8;

    private readonly List<(Shape[] Shapes, Session? Session)> known = [];
    private bool disposed;

    /// <summary>The session for these inputs; null when the general program serves them.</summary>
    public Session? Find<T>(ReadOnlySpan<T> inputs) where T : RuntimeValue
    {
        lock (known)
        {
            foreach (var (shapes, session) in known)
                if (Fits(inputs, shapes)) return session;
            return disposed || known.Count == Capacity || !IsValid(inputs) ? null : Add(inputs);
        }
    }

    /// <summary>Ends the sessions.</summary>
    public void Dispose()
    {
        lock (known)
        {
            disposed = true;
            foreach (var (_, session) in known) session?.Dispose();
            known.Clear();
        }
    }

    private static bool Fits<T>(ReadOnlySpan<T> inputs, Shape[] shapes) where T : RuntimeValue
    {
        if (inputs.Length != shapes.Length) return false;
        for (var i = 0; i < shapes.Length; i++)
            if (inputs[i] is not Tensor t || t.Shape != shapes[i]) return false;
        return true;
    }

    // What contradicts the model is left to the general program, which says so.
    private bool IsValid<T>(ReadOnlySpan<T> inputs) where T : RuntimeValue
    {
        if (inputs.Length != general.Program.Inputs.Count) return false;
        foreach (var input in inputs)
            if (input is not Tensor) return false;
        return true;
    }

    private Session? Add<T>(ReadOnlySpan<T> inputs) where T : RuntimeValue
    {
        var shapes = new Shape[inputs.Length];
        for (var i = 0; i < shapes.Length; i++) shapes[i] = (inputs[i] as Tensor)!.Shape;
        var extents = new Dictionary<string, long>(StringComparer.Ordinal);
        InputShapes.Solve(general.Program, shapes, extents);
        var session = settle(extents) is { } program ? general.Inside(program) : null;
        known.Add((shapes, session));
        return session;
    }
}
