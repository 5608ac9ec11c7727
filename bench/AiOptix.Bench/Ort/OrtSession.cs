using System.Runtime.InteropServices;
using AiOptix.Tensors;
using static AiOptix.Bench.Ort.OrtApi;

namespace AiOptix.Bench.Ort;

/// <summary>
/// A model opened by ONNX Runtime on its CPU provider, as its users open one for speed: every graph optimisation, operators one after another, the
/// given number of threads inside an operator, and its own defaults for everything else (its threads spin).
/// </summary>
internal sealed unsafe class OrtSession : IDisposable
{
    private nint session;

    /// <summary>Opens a model.</summary>
    /// <param name="path">The file.</param>
    /// <param name="threads">Threads inside an operator, the caller included.</param>
    /// <param name="configuration">Session configuration entries, such as <c>session.intra_op.allow_spinning</c> = <c>0</c>.</param>
    /// <exception cref="OrtException">ONNX Runtime cannot open it.</exception>
    internal OrtSession(string path, int threads, IReadOnlyDictionary<string, string>? configuration = null)
        : this(path, default, threads, configuration)
    {
    }

    /// <summary>Opens a model that lies in memory.</summary>
    /// <exception cref="OrtException">ONNX Runtime cannot open it.</exception>
    internal OrtSession(ReadOnlySpan<byte> model, int threads)
        : this(null, model, threads, null)
    {
    }

    private OrtSession(string? path, ReadOnlySpan<byte> model, int threads, IReadOnlyDictionary<string, string>? configuration)
    {
        OrtLibrary.Locate();
        if (path is not null && !File.Exists(path)) throw new OrtException($"there is no model file {path}");
        const int Sequential = 0;
        const int EveryOptimisation = 99;
        nint options;
        Check(((delegate* unmanaged<nint*, nint>)Function(Entry.CreateSessionOptions))(&options), Entry.CreateSessionOptions);
        var file = Utf8(path ?? "");
        try
        {
            Set(Entry.SetSessionExecutionMode, options, Sequential);
            Set(Entry.SetSessionGraphOptimizationLevel, options, EveryOptimisation);
            Set(Entry.SetIntraOpNumThreads, options, threads);
            Set(Entry.SetInterOpNumThreads, options, 1);
            foreach (var (key, value) in configuration ?? new Dictionary<string, string>()) Configure(options, key, value);
            nint created;
            if (path is not null)
            {
                var create = (delegate* unmanaged<nint, nint, nint, nint*, nint>)Function(Entry.CreateSession);
                Check(create(OrtApi.Environment, file, options, &created), Entry.CreateSession);
            }
            else
            {
                var create = (delegate* unmanaged<nint, byte*, nuint, nint, nint*, nint>)Function(Entry.CreateSessionFromArray);
                fixed (byte* bytes = model) Check(create(OrtApi.Environment, bytes, (nuint)model.Length, options, &created), Entry.CreateSessionFromArray);
            }
            session = created;
        }
        finally
        {
            Marshal.FreeCoTaskMem(file);
            Release(Entry.ReleaseSessionOptions, options);
        }
        Inputs = OrtValueInfo.AllOf(session, Entry.SessionGetInputCount, Entry.SessionGetInputName, Entry.SessionGetInputTypeInfo);
        Outputs = OrtValueInfo.AllOf(session, Entry.SessionGetOutputCount, Entry.SessionGetOutputName, Entry.SessionGetOutputTypeInfo);
    }

    /// <summary>Frees a session that nobody disposed of.</summary>
    ~OrtSession() => Free();

    /// <summary>The version of the library, as it names itself.</summary>
    internal static string Version => OrtApi.Version;

    /// <summary>The inputs that a run must be given (initialisers are none).</summary>
    internal IReadOnlyList<OrtValueInfo> Inputs { get; }

    /// <summary>All outputs.</summary>
    internal IReadOnlyList<OrtValueInfo> Outputs { get; }

    internal nint Handle => session;

    /// <summary>One run, all outputs, as owned copies.</summary>
    /// <exception cref="OrtException">ONNX Runtime refuses the inputs or fails.</exception>
    /// <exception cref="UnsupportedModelException">An output is not a tensor.</exception>
    internal Dictionary<string, Tensor> Run(IReadOnlyDictionary<string, Tensor> inputs)
    {
        foreach (var output in Outputs)
            if (output.Kind != OrtKind.Tensor) throw OrtTensors.NotATensor(output.Name, output.Kind);
        using var prepared = Prepare(inputs);
        prepared.Run();
        return prepared.Read();
    }

    /// <summary>Makes everything that stays the same between runs on the same inputs; the tensors may be rewritten in place.</summary>
    /// <param name="inputs">A tensor for every input.</param>
    /// <param name="outputs">Tensors to write outputs to; outputs that are not named here are allocated by ONNX Runtime on every run.</param>
    internal OrtPrepared Prepare(IReadOnlyDictionary<string, Tensor> inputs, IReadOnlyDictionary<string, Tensor>? outputs = null) => new(this, inputs, outputs);

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private static void Configure(nint options, string key, string value)
    {
        var k = Utf8(key);
        var v = Utf8(value);
        try
        {
            Check(((delegate* unmanaged<nint, nint, nint, nint>)Function(Entry.AddSessionConfigEntry))(options, k, v), Entry.AddSessionConfigEntry);
        }
        finally
        {
            Marshal.FreeCoTaskMem(k);
            Marshal.FreeCoTaskMem(v);
        }
    }

    private void Free() => Release(Entry.ReleaseSession, Interlocked.Exchange(ref session, 0));
}
