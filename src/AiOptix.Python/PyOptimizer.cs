using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using AiOptix.Optimization;
using AiOptix.Reporting;
using AiOptix.Tensors;
using AiOptix.Tuning;

namespace AiOptix.Python;

/// <summary>The functions <c>optimize</c>, <c>samples</c> and <c>report</c>.</summary>
internal static unsafe class PyOptimizer
{
    [UnmanagedCallersOnly]
    public static nint Optimize(nint self, nint* arguments, nint count)
    {
        Tensor[][] samples = [];
        Tensor[] labels = [];
        try
        {
            NativeModule.Expect(count, 11, "optimize");
            var model = PyModel.Of(arguments[0]);
            samples = Py.Items(arguments[1], o => Sample(model, o));
            var tolerance = Py.Items(arguments[3], Py.ToFloat);
            if (tolerance.Length != 3) throw new ArgumentException("tolerance must be (rtol, atol, scaled_atol)");
            labels = Py.IsNone(arguments[8]) ? [] : Py.Items(arguments[8], Label);
            using var metric = new PyMetric(model);
            var given = Py.IsNone(arguments[7]) ? null : Py.Entries(arguments[7]).ToDictionary(e => Py.ToText(e.Key), e => e.Value, StringComparer.Ordinal);
            var options = new OptimizerOptions
            {
                Budget = given is null ? null : Budget(given, metric),
                Labels = Py.IsNone(arguments[8]) ? null : labels,
                StatePath = given is null || Py.IsNone(given["state"]) ? null : Py.ToText(given["state"]),
                Recipe = given is null || Py.IsNone(given["recipe"]) ? null : Recipe.Parse(Py.ToText(given["recipe"]), "the recipe"),
                Threads = checked((int)Py.ToInteger(arguments[2])),
                Tolerance = new(tolerance[0], tolerance[1], tolerance[2]),
                TimingTime = TimeSpan.FromSeconds(Py.ToFloat(arguments[4])),
                PassTimingTime = TimeSpan.FromSeconds(Py.ToFloat(arguments[5])),
            };
            var (known, kernelSeconds) = (PyTuning.Of(arguments[9]), PyTuning.Seconds(arguments[10], "kernel_seconds"));
            var reports = new Reports<OptimizerProgress>(arguments[6], CallProgress);
            var (taken, takenLabels) = (samples, labels);
            (samples, labels) = ([], []);
            var (optimized, result, tuning) = Blocking.Wait(cancellation =>
            {
                try
                {
                    metric.Cancellation = cancellation;
                    var tuner = known is null ? null : new KernelTuner(known, kernelSeconds, cancellation: cancellation);
                    var (best, found) = model.Optimize(taken, options, tuner, reports, cancellation);
                    return (best, found, tuner?.Tuning);
                }
                finally
                {
                    foreach (var tensor in taken.SelectMany(s => s).Concat(takenLabels)) tensor.Dispose();
                }
            }, () =>
            {
                reports.Flush();
                metric.Answer();
            }, metric.Asked);
            var recipe = result.Search is { } search ? Py.Text(Recipe.Of(search).ToJson().ToJsonString()) : Py.None();
            return Py.Tuple(PyModel.New(optimized), Py.Text(ModelJson.Result(result).ToJsonString()), recipe, tuning is null ? Py.None() : PyTuning.New(tuning));
        }
        catch (Exception e)
        {
            Errors.Raise(e);
            return 0;
        }
        finally
        {
            foreach (var tensor in samples.SelectMany(s => s).Concat(labels)) tensor.Dispose();
            Deferred.Drain();
        }
    }

    [UnmanagedCallersOnly]
    public static nint Samples(nint self, nint* arguments, nint count)
    {
        try
        {
            NativeModule.Expect(count, 3, "samples");
            var (model, path, batch) = (PyModel.Of(arguments[0]), Py.ToText(arguments[1]), checked((int)Py.ToInteger(arguments[2])));
            var samples = Blocking.Wait(_ => SampleFolder.Read(model, path, batch));
            return Py.Tuple([.. samples.Select(s => Values.Dict(model.Inputs.Zip(s, (i, t) => (i.Name, (RuntimeValue)t))))]);
        }
        catch (Exception e)
        {
            Errors.Raise(e);
            return 0;
        }
    }

    [UnmanagedCallersOnly]
    public static nint Report(nint self, nint* arguments, nint count)
    {
        try
        {
            NativeModule.Expect(count, 3, "report");
            var (result, subject) = (JsonNode.Parse(Py.ToText(arguments[0]))!.AsObject(), new OptimizationSubject(Py.ToText(arguments[1]), Py.ToText(arguments[2])));
            return Py.Text(Blocking.Wait(_ => OptimizationFormats.ToHtml(result, subject, MachineReport.Create())));
        }
        catch (Exception e)
        {
            Errors.Raise(e);
            return 0;
        }
    }

    private static ErrorBudget Budget(Dictionary<string, nint> given, PyMetric metric)
    {
        double? Share(string name) => Py.IsNone(given[name]) ? null : Py.ToFloat(given[name]);
        var budget = new ErrorBudget
        {
            MaxAccuracyDrop = Share("max_accuracy_drop"),
            MaxError = Share("max_error"),
            Metric = Py.IsNone(given["metric"]) ? null : !Py.IsText(given["metric"]) ? metric.Of(given["metric"]) : Py.ToText(given["metric"]) switch
            {
                "top1" => Metric.Top1,
                "max" => Metric.LargestError,
                "mse" => Metric.SquaredError,
                "cosine" => Metric.Cosine,
                var other => throw new ArgumentException($"metric must be 'top1', 'max', 'mse', 'cosine' or a function, found '{other}'"),
            },
            Objective = Py.ToText(given["objective"]) switch
            {
                "latency" => Objective.Latency,
                "throughput" => Objective.Throughput,
                "size" => Objective.Size,
                var other => throw new ArgumentException($"objective must be 'latency', 'throughput' or 'size', found '{other}'"),
            },
            Time = TimeSpan.FromSeconds(Py.ToFloat(given["time"])),
            AllowLittleData = Py.ToBool(given["allow_little_data"]),
            Seed = checked((int)Py.ToInteger(given["seed"])),
        };
        budget.Check();
        return budget;
    }

    private static Tensor Label(nint o)
    {
        long copies = 0;
        return (Tensor)Borrowing.Value(o, null, "a label", mayCopy: true, ref copies);
    }

    private static Tensor[] Sample(Model model, nint dict)
    {
        if (!Py.IsDict(dict)) throw new ArgumentTypeException($"a sample must be a dict of arrays by name, found {Py.TypeName(dict)}");
        var inputs = model.Inputs;
        var tensors = new Tensor[inputs.Count];
        long copies = 0;
        for (var i = 0; i < tensors.Length; i++)
        {
            var name = Py.Text(inputs[i].Name);
            var o = PyApi.DictGet(dict, name);
            PyApi.DecRef(name);
            if (o == 0) throw new InvalidInputException($"a sample lacks input '{inputs[i].Name}'; it should be {inputs[i].Type}");
            tensors[i] = Borrowing.Value(o, inputs[i].Type, $"input '{inputs[i].Name}'", mayCopy: true, ref copies) as Tensor
                ?? throw new NotSupportedException($"input '{inputs[i].Name}' is {inputs[i].Type}; models with such inputs cannot be proven yet");
        }
        return tensors;
    }

    private static void CallProgress(nint callable, OptimizerProgress progress)
    {
        nint stage = Py.Text(progress.Stage), done = Errors.Check(PyApi.FloatFrom(progress.Done));
        try
        {
            PyApi.DecRef(Py.Call(callable, stage, done));
        }
        finally
        {
            PyApi.DecRef(stage);
            PyApi.DecRef(done);
        }
    }
}
