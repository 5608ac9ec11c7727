using System.Runtime.InteropServices;
using AiOptix.Optimization;
using AiOptix.Tensors;

namespace AiOptix.Python;

/// <summary>The function <c>optimize</c>.</summary>
internal static unsafe class PyOptimizer
{
    [UnmanagedCallersOnly]
    public static nint Optimize(nint self, nint* arguments, nint count)
    {
        Tensor[][] samples = [];
        try
        {
            NativeModule.Expect(count, 7, "optimize");
            var model = PyModel.Of(arguments[0]);
            samples = Py.Items(arguments[1], o => Sample(model, o));
            var tolerance = Py.Items(arguments[3], Py.ToFloat);
            if (tolerance.Length != 3) throw new ArgumentException("tolerance must be (rtol, atol, scaled_atol)");
            var options = new OptimizerOptions
            {
                Threads = checked((int)Py.ToInteger(arguments[2])),
                Tolerance = new(tolerance[0], tolerance[1], tolerance[2]),
                TimingTime = TimeSpan.FromSeconds(Py.ToFloat(arguments[4])),
                PassTimingTime = TimeSpan.FromSeconds(Py.ToFloat(arguments[5])),
            };
            var reports = new Reports<OptimizerProgress>(arguments[6], CallProgress);
            var taken = samples;
            samples = [];
            var (optimized, result) = Blocking.Wait(cancellation =>
            {
                try
                {
                    return model.Optimize(taken, options, reports, cancellation);
                }
                finally
                {
                    foreach (var tensor in taken.SelectMany(s => s)) tensor.Dispose();
                }
            }, reports.Flush);
            return Py.Tuple(PyModel.New(optimized), Py.Text(ModelJson.Result(result).ToJsonString()));
        }
        catch (Exception e)
        {
            Errors.Raise(e);
            return 0;
        }
        finally
        {
            foreach (var tensor in samples.SelectMany(s => s)) tensor.Dispose();
            Deferred.Drain();
        }
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
