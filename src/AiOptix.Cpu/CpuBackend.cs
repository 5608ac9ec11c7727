using AiOptix.Cpu.Lower;
using AiOptix.Graphs;
using AiOptix.Kernels;
using AiOptix.Kernels.Choice;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cpu;

/// <summary>The CPU: lowers graphs to steps over the kernels of one machine.</summary>
public sealed class CpuBackend : IBackend
{
    private readonly IKernelChooser? chooser;

    /// <summary>Creates the backend.</summary>
    /// <param name="target">The machine to choose kernels for; this one by default. Programs for another one may not run here.</param>
    /// <param name="chooser">Chooses kernels in place of the cost model.</param>
    public CpuBackend(Target? target = null, IKernelChooser? chooser = null) => (Target, this.chooser) = (target ?? HostTarget.Current, chooser);

    /// <summary>The machine that kernels are chosen for.</summary>
    public Target Target { get; }

    /// <inheritdoc/>
    public string Name => "cpu";

    /// <inheritdoc/>
    public Program Compile(Graph graph, Limits limits, WeightSource? weights = null) => Lowering.Compile(graph, Target, chooser, limits, new PackedWeights(weights));

    /// <summary>Whether a program reads through a node of constants: evaluating it would only make a copy.</summary>
    public static bool ReadsThrough(Node node) => StridedOperand.IsTiedMatrix(node);

    /// <summary>The graph with constants in place of what depends on constants alone, as compiling it evaluates them; the graph itself when there is nothing to do.</summary>
    public static Graph EvaluateConstants(Graph graph, Limits limits) => CompileTimeConstants.Evaluate(graph, limits);

    /// <inheritdoc/>
    public IStepRunner CreateRunner(int threads) => new CpuRunner(threads);
}
