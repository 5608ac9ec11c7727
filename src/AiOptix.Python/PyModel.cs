using System.Runtime.InteropServices;
using AiOptix.Graphs;
using AiOptix.Tensors;
using AiOptix.Tuning;

namespace AiOptix.Python;

/// <summary>The type <c>Model</c>.</summary>
internal static unsafe class PyModel
{
    public static TypeBuilder Type { get; } = new("Model", "A loaded model. Nothing changes it; threads may share it.");

    public static TypeBuilder Describe() => Type.Ends()
        .StaticMethod("load", "source, folder, limits", "From a path, or from the bytes of a file with the folder of its external data.", &Load)
        .Property("name", "The graph's name.", &Name)
        .Property("inputs", "(name, dtype, shape, ONNX type) of each input.", &Inputs)
        .Property("outputs", "(name, dtype, shape, ONNX type) of each output.", &Outputs)
        .Property("metadata", "What the file says about itself, as JSON.", &Metadata)
        .Method("operators", "", "(name, count, supported) of each operator.", &Operators)
        .Property("notice", "Why a saved program was not used and its model compiled anew; otherwise None.", &Notice)
        .Method("tune", "known, seconds", "Times the kernels that can compute what the model consists of, where they are not known; gives the winners and what was timed.", &Tune)
        .Method("save_compiled", "path, rewrite, isa, limits, tuning", "Compiles the model for this machine and saves the program into a folder.", &SaveCompiled)
        .Method("save", "path", "Writes the model as standard ONNX.", &Save)
        .Method("sample", "seed, dims", "Inputs drawn from the seed within the types and shapes of the model, as a dict.", &Sample);

    /// <summary>The model of a Python object.</summary>
    public static Model Of(nint o) => Type.Is(o) ? TypeBuilder.Value<Model>(o) : throw new ArgumentTypeException($"expected Model, found {Py.TypeName(o)}");

    /// <summary>A Python object around a model.</summary>
    public static nint New(Model model) => Type.Wrap(model);

    /// <summary>Bounds from a dict, or the machine's from None.</summary>
    public static Limits ToLimits(nint o)
    {
        var limits = Limits.Default;
        foreach (var (key, value) in Py.IsNone(o) ? [] : Py.Entries(o))
            limits = Py.ToText(key) switch
            {
                "max_tensor_bytes" => limits with { MaxTensorBytes = Py.ToInteger(value) },
                "max_total_bytes" => limits with { MaxTotalBytes = Py.ToInteger(value) },
                "max_loop_trips" => limits with { MaxLoopTrips = Py.ToInteger(value) },
                "max_depth" => limits with { MaxDepth = checked((int)Py.ToInteger(value)) },
                "max_run_seconds" => limits with { MaxRunTime = TimeSpan.FromSeconds(Py.ToFloat(value)) },
                var other => throw new ArgumentException($"there is no limit '{other}'; there are max_tensor_bytes, max_total_bytes, max_loop_trips, max_depth, max_run_seconds"),
            };
        return limits;
    }

    /// <summary>A cap of the instruction sets from its name.</summary>
    public static IsaCap ToCap(nint o) => Py.ToText(o) switch
    {
        "none" => IsaCap.None,
        "avx2" => IsaCap.Avx2,
        "avx512" => IsaCap.Avx512,
        var other => throw new ArgumentException($"isa must be 'none', 'avx2' or 'avx512', found '{other}'"),
    };

    /// <summary>A tuple that describes inputs or outputs.</summary>
    public static nint Describe(IReadOnlyList<ValueInfo> values) => Py.Tuple([.. values.Select(v => Py.Tuple(
        Py.Text(v.Name),
        v.DType == DType.Undefined ? Py.None() : Py.Text(v.DType.Name()),
        v.Shape is { } shape ? Py.Tuple([.. shape.Select(Dimension)]) : Py.None(),
        Py.Text(OnnxType(v.Type))))]);

    private static nint Dimension(Dim dim) => dim.Constant is { } known ? Py.Integer(known) : Py.Text(dim.ToString());

    private static string OnnxType(GraphType? type) => type switch
    {
        TensorType t => $"tensor({DTypeFormat.OnnxName(t.DType)})",
        SequenceType s => $"seq({OnnxType(s.Element)})",
        OptionalType o => $"optional({OnnxType(o.Element)})",
        MapType { Value: TensorType value } m => $"map({DTypeFormat.OnnxName(m.Key)},tensor({DTypeFormat.OnnxName(value.DType)}))",
        _ => "unknown",
    };

    [UnmanagedCallersOnly]
    private static nint Load(nint self, nint* arguments, nint count)
    {
        try
        {
            NativeModule.Expect(count, 3, "load");
            var limits = ToLimits(arguments[2]);
            if (Py.IsText(arguments[0]))
            {
                var path = Py.ToText(arguments[0]);
                return New(Blocking.Wait(_ => Model.Load(path, limits)));
            }
            if (!Py.IsBytes(arguments[0])) throw new ArgumentTypeException($"expected str or bytes, found {Py.TypeName(arguments[0])}");
            byte* bytes;
            nint length;
            Errors.Check(PyApi.BytesAs(arguments[0], &bytes, &length));
            var copy = new ReadOnlySpan<byte>(bytes, checked((int)length)).ToArray();
            var folder = Py.IsNone(arguments[1]) ? null : Py.ToText(arguments[1]);
            return New(Blocking.Wait(_ => Model.Load(copy, folder, limits)));
        }
        catch (Exception e)
        {
            Errors.Raise(e);
            return 0;
        }
    }

    [UnmanagedCallersOnly]
    private static nint Name(nint self, nint closure) => TypeBuilder.Read<Model>(self, static m => Py.Text(m.Name));

    [UnmanagedCallersOnly]
    private static nint Inputs(nint self, nint closure) => TypeBuilder.Read<Model>(self, static m => Describe(m.Inputs));

    [UnmanagedCallersOnly]
    private static nint Outputs(nint self, nint closure) => TypeBuilder.Read<Model>(self, static m => Describe(m.Outputs));

    [UnmanagedCallersOnly]
    private static nint Metadata(nint self, nint closure) => TypeBuilder.Read<Model>(self, static m => Py.Text(ModelJson.Metadata(m).ToJsonString()));

    [UnmanagedCallersOnly]
    private static nint Operators(nint self, nint* arguments, nint count) => TypeBuilder.Read<Model>(self, static m => Py.Tuple(
    [
        .. m.Graph.AllNodes.GroupBy(n => n.Operator.Name, StringComparer.Ordinal)
            .Select(g => Py.Tuple(Py.Text(g.Key), Py.Integer(g.Count()), Py.Bool(g.All(n => n.Operator.IsKnown)))),
    ]));

    [UnmanagedCallersOnly]
    private static nint Save(nint self, nint* arguments, nint count)
    {
        try
        {
            NativeModule.Expect(count, 1, "save");
            var (model, path) = (Of(self), Py.ToText(arguments[0]));
            Blocking.Wait(_ =>
            {
                model.Save(path);
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
    private static nint Notice(nint self, nint closure) => TypeBuilder.Read<Model>(self, static m => m.Notice is { } notice ? Py.Text(notice) : Py.None());

    [UnmanagedCallersOnly]
    private static nint Tune(nint self, nint* arguments, nint count)
    {
        try
        {
            NativeModule.Expect(count, 2, "tune");
            var (model, known, seconds) = (Of(self), PyTuning.Of(arguments[0]), PyTuning.Seconds(arguments[1], "seconds"));
            var tuner = Blocking.Wait(cancellation =>
            {
                var tuner = new KernelTuner(known ?? KernelTuning.Empty, seconds, cancellation: cancellation);
                model.Tune(tuner);
                return tuner;
            });
            return Py.Tuple(PyTuning.New(tuner.Tuning), PyTuning.Timed(tuner.Timed));
        }
        catch (Exception e)
        {
            Errors.Raise(e);
            return 0;
        }
    }

    [UnmanagedCallersOnly]
    private static nint SaveCompiled(nint self, nint* arguments, nint count)
    {
        try
        {
            NativeModule.Expect(count, 5, "save_compiled");
            var (model, path) = (Of(self), Py.ToText(arguments[0]));
            var options = new CompileOptions { Rewrite = Py.ToBool(arguments[1]), Isa = ToCap(arguments[2]), Limits = ToLimits(arguments[3]), Tuning = PyTuning.Of(arguments[4]) };
            Blocking.Wait(_ =>
            {
                model.SaveCompiled(path, options);
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
    private static nint Sample(nint self, nint* arguments, nint count)
    {
        try
        {
            NativeModule.Expect(count, 2, "sample");
            var (model, seed) = (Of(self), unchecked((int)Py.ToInteger(arguments[0])));
            var dims = Py.Entries(arguments[1]).ToDictionary(e => Py.ToText(e.Key), e => Py.ToInteger(e.Value), StringComparer.Ordinal);
            var sample = Blocking.Wait(_ => SampleInputs.Draw(model, seed, dims));
            return Values.Dict(model.Inputs.Select((input, i) => (input.Name, (RuntimeValue)sample.Values[i])));
        }
        catch (Exception e)
        {
            Errors.Raise(e);
            return 0;
        }
    }
}
