using AiOptix.Graphs;
using AiOptix.Passes;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Verification;

/// <summary>A model as one level of verification sees it, ready to be run on recordings.</summary>
internal sealed class CaseEvaluator : IDisposable
{
    private readonly Graph? graph;
    private readonly VerificationOptions options;
    private readonly Session? session;

    /// <summary>Prepares a model.</summary>
    /// <exception cref="UnsupportedModelException">It cannot be compiled.</exception>
    public CaseEvaluator(Model model, VerificationLevel level, VerificationOptions options)
    {
        this.options = options;
        if (level == VerificationLevel.Plan)
        {
            session = model.Compile(new CompileOptions { Threads = options.Threads, Isa = options.Isa, Limits = options.Limits });
            return;
        }
        graph = model.Source().Graph;
        if (level != VerificationLevel.Passes) return;
        graph = graph.Clone();
        PassDriver.Run(graph, new PassOptions { Limits = options.Limits, Cancellation = options.Cancellation });
    }

    /// <summary>The outputs in order.</summary>
    public IReadOnlyList<RuntimeValue> Run(IReadOnlyDictionary<string, RuntimeValue> inputs) => session is null
        ? ReferenceEvaluator.Run(graph!, inputs, options.Limits, options.Cancellation)
        : session.Run([.. session.Program.Inputs.Select(i => inputs[session.Program.Slots[i].Name])], options.Cancellation);

    public void Dispose() => session?.Dispose();
}
