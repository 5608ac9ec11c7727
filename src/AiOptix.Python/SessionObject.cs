using AiOptix.Graphs;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Python;

/// <summary>What stands behind a Python <c>Session</c>: the session, the names of its inputs and outputs as Python strings, and how long its runs take.</summary>
internal sealed class SessionObject : IDisposable
{
    private const long ShortTicks = TimeSpan.TicksPerMillisecond * 10;

    private readonly Shape[] timedShapes;
    private long timedTicks = long.MaxValue;
    private int active;
    private int closed;
    private long copies;

    public SessionObject(Session session, Model model)
    {
        Session = session;
        InputInfos = model.Inputs;
        OutputInfos = model.Outputs;
        InputNames = [.. InputInfos.Select(v => Py.Text(v.Name))];
        OutputNames = [.. OutputInfos.Select(v => Py.Text(v.Name))];
        timedShapes = new Shape[InputInfos.Count];
    }

    public Session Session { get; }

    public IReadOnlyList<ValueInfo> InputInfos { get; }

    public IReadOnlyList<ValueInfo> OutputInfos { get; }

    /// <summary>Python strings, owned.</summary>
    public nint[] InputNames { get; }

    /// <summary>Python strings, owned.</summary>
    public nint[] OutputNames { get; }

    /// <summary>How many inputs were copied.</summary>
    public ref long Copies => ref copies;

    public bool IsClosed => Volatile.Read(ref closed) != 0;

    /// <summary>True when the last run had inputs of the same shapes and was so short that nobody would want to interrupt it.</summary>
    public bool IsShort(ReadOnlySpan<RuntimeValue> inputs)
    {
        if (Volatile.Read(ref timedTicks) > ShortTicks) return false;
        for (var i = 0; i < inputs.Length; i++)
            if (inputs[i] is not Tensor t || t.Shape != timedShapes[i]) return false;
        return true;
    }

    /// <summary>Runs, measures and disposes of the inputs. Needs no GIL.</summary>
    /// <param name="inputs">Taken over.</param>
    /// <param name="outputs">Those that are null are filled.</param>
    /// <param name="isTimed">Whether to remember how long it took.</param>
    /// <param name="cancellation">Ends it.</param>
    public RuntimeValue?[] Run(RuntimeValue[] inputs, RuntimeValue?[] outputs, bool isTimed, CancellationToken cancellation)
    {
        Interlocked.Increment(ref active);
        try
        {
            var began = isTimed ? System.Diagnostics.Stopwatch.GetTimestamp() : 0;
            Session.Run(inputs, outputs, cancellation);
            if (isTimed) Remember(inputs, System.Diagnostics.Stopwatch.GetElapsedTime(began).Ticks);
            return outputs;
        }
        finally
        {
            foreach (var input in inputs) input.Dispose();
            Interlocked.Decrement(ref active);
        }
    }

    /// <summary>Waits for runs in flight and gives everything back. Needs no GIL.</summary>
    public void Close()
    {
        if (Interlocked.Exchange(ref closed, 1) == 0) Session.Dispose();
    }

    /// <summary>The end of the Python object: gives everything back, without waiting for a run that an interrupt left behind. Needs the GIL.</summary>
    public void Dispose()
    {
        unsafe
        {
            foreach (var name in InputNames) PyApi.DecRef(name);
            foreach (var name in OutputNames) PyApi.DecRef(name);
        }
        if (Volatile.Read(ref active) == 0) Close();
        else _ = Task.Run(Close);
    }

    private void Remember(RuntimeValue[] inputs, long ticks)
    {
        Volatile.Write(ref timedTicks, long.MaxValue);
        for (var i = 0; i < inputs.Length; i++) timedShapes[i] = inputs[i] is Tensor t ? t.Shape : default;
        Volatile.Write(ref timedTicks, ticks);
    }
}
