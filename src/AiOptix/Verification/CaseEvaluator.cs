using AiOptix.Graphs;
using AiOptix.Passes;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Verification;

/// <summary>A model as one level of verification sees it, ready to be run on recordings.</summary>
internal sealed class CaseEvaluator : IDisposable
{
    private readonly Graph graph;
    private readonly VerificationOptions options;
    private readonly Session? session;

    /// <summary>Prepares a model.</summary>
    /// <exception cref="UnsupportedModelException">It cannot be compiled.</exception>
    public CaseEvaluator(Graph graph, VerificationLevel level, VerificationOptions options)
    {
        this.graph = graph;
        this.options = options;
        if (level == VerificationLevel.Passes)
        {
            this.graph = graph.Clone();
            PassDriver.Run(this.graph, new PassOptions { Limits = options.Limits, Cancellation = options.Cancellation });
        }
        else if (level == VerificationLevel.Plan)
        {
            session = Model.Of(graph).Compile(new CompileOptions { Threads = options.Threads, Isa = options.Isa, Limits = options.Limits });
        }
    }

    /// <summary>The outputs in order.</summary>
    public IReadOnlyList<RuntimeValue> Run(IReadOnlyDictionary<string, RuntimeValue> inputs) => session is null
        ? ReferenceEvaluator.Run(graph, inputs, options.Limits, options.Cancellation)
        : session.Run([.. graph.Inputs.Select(i => inputs[i.Name])], options.Cancellation);

    public void Dispose() => session?.Dispose();
}
