using System.Runtime.InteropServices;
using AiOptix.Tensors;

namespace AiOptix.Python;

/// <summary>The type <c>Session</c>.</summary>
internal static unsafe class PySession
{
    public static TypeBuilder Type { get; } = new("Session", "A compiled model, ready to run from any number of threads.");

    public static TypeBuilder Describe() => Type.Ends()
        .StaticMethod("create", "model, threads, rewrite, isa, limits, tuning", "Compiles a model.", &Create)
        .Property("threads", "How many threads take part in a run, the calling one included.", &Threads)
        .Property("copies", "How many inputs were copied because they were strided or byte-swapped.", &Copies)
        .Property("inputs", "(name, dtype, shape, ONNX type) of each input.", &Inputs)
        .Property("outputs", "(name, dtype, shape, ONNX type) of each output.", &Outputs)
        .Property("closed", "Whether close was called.", &Closed)
        .Method("run", "inputs, out, copy, cancellation", "All outputs by name: the caller's own objects where out names them.", &Run)
        .Method("close", "", "Waits for runs in flight and gives everything back; nothing once the interpreter ends.", &Close);

    [UnmanagedCallersOnly]
    private static nint Create(nint self, nint* arguments, nint count)
    {
        try
        {
            NativeModule.Expect(count, 6, "create");
            var model = PyModel.Of(arguments[0]);
            var options = new CompileOptions
            {
                Threads = checked((int)Py.ToInteger(arguments[1])),
                Rewrite = Py.ToBool(arguments[2]),
                Isa = PyModel.ToCap(arguments[3]),
                Limits = PyModel.ToLimits(arguments[4]),
                Tuning = PyTuning.Of(arguments[5]),
            };
            var session = Blocking.Wait(_ => model.Compile(options));
            return Type.Wrap(new SessionObject(session, model));
        }
        catch (Exception e)
        {
            Errors.Raise(e);
            return 0;
        }
    }

    [UnmanagedCallersOnly]
    private static nint Run(nint self, nint* arguments, nint count)
    {
        RuntimeValue[]? inputs = null;
        RuntimeValue?[]? outputs = null;
        try
        {
            NativeModule.Expect(count, 4, "run");
            var session = TypeBuilder.Value<SessionObject>(self);
            ObjectDisposedException.ThrowIf(session.IsClosed, session);
            var token = PyCancellation.Token(arguments[3]);
            inputs = Arguments.Inputs(session, arguments[0], Py.ToBool(arguments[2]));
            outputs = Arguments.Outputs(session, arguments[1], inputs);
            var given = outputs.Any(o => o is not null) ? (RuntimeValue?[])outputs.Clone() : null;
            var results = Execute(session, inputs, outputs, token);
            inputs = null;
            outputs = null;
            return Results(session, results, given, arguments[1]);
        }
        catch (Exception e)
        {
            Errors.Raise(e);
            return 0;
        }
        finally
        {
            foreach (var input in inputs ?? []) input.Dispose();
            foreach (var output in outputs ?? []) output?.Dispose();
            Deferred.Drain();
        }
    }

    /// <summary>Runs on this thread when it is no thread that signals interrupt, or the run is known to be short.</summary>
    private static RuntimeValue?[] Execute(SessionObject session, RuntimeValue[] inputs, RuntimeValue?[] outputs, CancellationToken token)
    {
        var onMain = Blocking.OnMainThread;
        if (!onMain || session.IsShort(inputs))
        {
            var state = Blocking.Enter();
            try
            {
                return session.Run(inputs, outputs, onMain, token);
            }
            finally
            {
                Blocking.Leave(state);
            }
        }
        return Blocking.Wait(interrupt =>
        {
            using var either = token == Blocking.Closing ? null : CancellationTokenSource.CreateLinkedTokenSource(interrupt, token);
            return session.Run(inputs, outputs, isTimed: true, either?.Token ?? interrupt);
        });
    }

    private static nint Results(SessionObject session, RuntimeValue?[] results, RuntimeValue?[]? given, nint @out)
    {
        var dict = Errors.Check(PyApi.DictNew());
        for (var i = 0; i < results.Length; i++)
        {
            nint value;
            if (given?[i] is { } own)
            {
                own.Dispose();
                value = Py.New(PyApi.DictGet(@out, session.OutputNames[i]));
            }
            else
            {
                value = Values.ToPython(results[i]!);
            }
            Values.Set(dict, Py.New(session.OutputNames[i]), value);
        }
        return dict;
    }

    [UnmanagedCallersOnly]
    private static nint Close(nint self, nint* arguments, nint count)
    {
        try
        {
            var session = TypeBuilder.Value<SessionObject>(self);
            if (Blocking.Closing.IsCancellationRequested) return Py.None();
            Blocking.Wait(_ =>
            {
                session.Close();
                return true;
            });
            return Py.None();
        }
        catch (Exception e)
        {
            Errors.Raise(e);
            return 0;
        }
    }

    [UnmanagedCallersOnly]
    private static nint Threads(nint self, nint closure) => TypeBuilder.Read<SessionObject>(self, static s => Py.Integer(s.Session.Threads));

    [UnmanagedCallersOnly]
    private static nint Copies(nint self, nint closure) => TypeBuilder.Read<SessionObject>(self, static s => Py.Integer(Interlocked.Read(ref s.Copies)));

    [UnmanagedCallersOnly]
    private static nint Inputs(nint self, nint closure) => TypeBuilder.Read<SessionObject>(self, static s => PyModel.Describe(s.InputInfos));

    [UnmanagedCallersOnly]
    private static nint Outputs(nint self, nint closure) => TypeBuilder.Read<SessionObject>(self, static s => PyModel.Describe(s.OutputInfos));

    [UnmanagedCallersOnly]
    private static nint Closed(nint self, nint closure) => TypeBuilder.Read<SessionObject>(self, static s => Py.Bool(s.IsClosed));
}
