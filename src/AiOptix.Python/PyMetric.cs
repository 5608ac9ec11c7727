using System.Collections.Concurrent;
using AiOptix.Optimization;
using AiOptix.Tensors;

namespace AiOptix.Python;

/// <summary>
/// A score by a Python function. The search asks from its own thread and waits; the caller's thread, which holds the GIL and waits for the search, calls the function, so that
/// what it raises, Ctrl-C included, ends the search as it is.
/// </summary>
internal sealed class PyMetric(Model model) : IDisposable
{
    private readonly ConcurrentQueue<Question> questions = new();
    private readonly AutoResetEvent asked = new(false);

    /// <summary>Set when a question waits.</summary>
    public WaitHandle Asked => asked;

    /// <summary>Ends the waiting for answers.</summary>
    public CancellationToken Cancellation { get; set; }

    /// <summary>The metric of a function, which is borrowed for the time of the call.</summary>
    public Metric Of(nint function) => Metric.Of("a function", call =>
    {
        var question = new Question(function, call);
        questions.Enqueue(question);
        asked.Set();
        question.Answered.Wait(Cancellation);
        return question.Scores;
    });

    /// <summary>Answers what waits. The caller holds the GIL.</summary>
    public unsafe void Answer()
    {
        while (questions.TryDequeue(out var question))
        {
            nint index = Errors.Check(PyApi.LongFrom(question.Call.Sample)), result = 0;
            // The search goes on with its own tensors; what Python keeps of them lives on.
            var outputs = Values.Dict(model.Outputs.Zip(question.Call.Outputs, (o, t) => (o.Name, (RuntimeValue)t.Share())));
            try
            {
                result = Py.Call(question.Function, index, outputs);
                question.Scores = Py.Items(result, Py.ToFloat);
            }
            finally
            {
                PyApi.DecRef(index);
                PyApi.DecRef(outputs);
                if (result != 0) PyApi.DecRef(result);
            }
            question.Answered.Set();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => asked.Dispose();

    private sealed class Question(nint function, MetricCall call)
    {
        public nint Function => function;

        public MetricCall Call => call;

        // Without a wait handle it holds nothing that must be given back.
        public ManualResetEventSlim Answered { get; } = new();

        public double[] Scores { get; set; } = [];
    }
}
