using System.Runtime.InteropServices;
using AiOptix.Tensors;
using static AiOptix.Bench.Ort.OrtApi;

namespace AiOptix.Bench.Ort;

/// <summary>
/// Inputs ready to run again and again, for timing: a run is one call of the C API, and before it the release of the outputs of the run before. Not
/// for use by two threads at once.
/// </summary>
internal sealed unsafe class OrtPrepared : IDisposable
{
    private readonly OrtSession session;
    private readonly List<Tensor> kept = [];
    private readonly nint[] inputNames;
    private readonly nint[] inputs;
    private readonly nint[] outputNames;
    private readonly nint[] given;
    private readonly nint[] outputs;
    private bool disposed;

    internal OrtPrepared(OrtSession session, IReadOnlyDictionary<string, Tensor> inputs, IReadOnlyDictionary<string, Tensor>? outputs)
    {
        this.session = session;
        inputNames = new nint[inputs.Count];
        this.inputs = new nint[inputs.Count];
        outputNames = new nint[session.Outputs.Count];
        given = new nint[session.Outputs.Count];
        this.outputs = new nint[session.Outputs.Count];
        try
        {
            var i = 0;
            foreach (var (name, tensor) in inputs)
            {
                inputNames[i] = Utf8(name);
                this.inputs[i++] = Value(tensor);
            }
            for (i = 0; i < outputNames.Length; i++)
            {
                outputNames[i] = Utf8(session.Outputs[i].Name);
                if (outputs is not null && outputs.TryGetValue(session.Outputs[i].Name, out var target)) given[i] = Value(target);
            }
        }
        catch (AiOptixException)
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Runs the model.</summary>
    /// <exception cref="OrtException">ONNX Runtime refuses the inputs or fails.</exception>
    internal void Run()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        ReleaseOutputs();
        fixed (nint* names = inputNames, values = inputs, resultNames = outputNames, results = outputs)
        {
            var run = (delegate* unmanaged<nint, nint, nint*, nint*, nuint, nint*, nuint, nint*, nint>)Function(Entry.Run);
            Check(run(session.Handle, 0, names, values, (nuint)inputs.Length, resultNames, (nuint)outputs.Length, results), Entry.Run);
        }
        GC.KeepAlive(session);
    }

    /// <summary>The outputs of the latest run, as owned copies.</summary>
    /// <param name="tensorsOnly">Outputs that are not tensors are left out.</param>
    /// <exception cref="UnsupportedModelException">An output is not a tensor, and they are not left out.</exception>
    internal Dictionary<string, Tensor> Read(bool tensorsOnly = false)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        var read = new Dictionary<string, Tensor>();
        for (var i = 0; i < outputs.Length; i++)
            if (!tensorsOnly || session.Outputs[i].Kind == OrtKind.Tensor)
                read[session.Outputs[i].Name] = OrtTensors.ToTensor(outputs[i], session.Outputs[i].Name);
        return read;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (disposed) return;
        disposed = true;
        ReleaseOutputs();
        foreach (var value in inputs) Release(Entry.ReleaseValue, value);
        foreach (var value in given) Release(Entry.ReleaseValue, value);
        foreach (var name in inputNames) Marshal.FreeCoTaskMem(name);
        foreach (var name in outputNames) Marshal.FreeCoTaskMem(name);
    }

    private nint Value(Tensor tensor)
    {
        kept.Add(tensor);
        return OrtTensors.ToValue(tensor);
    }

    private void ReleaseOutputs()
    {
        for (var i = 0; i < outputs.Length; i++)
        {
            if (outputs[i] != given[i]) Release(Entry.ReleaseValue, outputs[i]);
            outputs[i] = given[i];
        }
    }
}
