using AiOptix.Graphs;
using AiOptix.Graphs.Ops.Ml;
using AiOptix.Kernels.Cast;
using AiOptix.Kernels.Trees;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Lower;

/// <summary>Tree ensembles of ai.onnx.ml, their trees packed when the program is made. Features other than float32 and float64 are converted first.</summary>
internal static unsafe class TreeRules
{
    /// <summary>TreeEnsemble and TreeEnsembleRegressor.</summary>
    public static bool Regression(Lowering lowering, Node node)
    {
        var op = (TreeRegression)node.Operator;
        if (Pack(node, op.Forest) is not { } forest) return false;
        var descriptor = new TreeDescriptor(0, 0, (int)op.Targets, node.Output.DType, (TreeTotal)op.Aggregate, (TreeTransform)op.Transform,
            op is TreeEnsembleRegressor r ? [.. r.BaseValues] : []);
        Emit(lowering, node, forest, descriptor, lowering.Slot(node.Output), labels: -1);
        return true;
    }

    /// <summary>TreeEnsembleClassifier. Labels that are strings are put in their place by a step of their own.</summary>
    public static bool Classifier(Lowering lowering, Node node)
    {
        var op = (TreeEnsembleClassifier)node.Operator;
        if (op.Labels.Count == 0 || Pack(node, op.Forest) is not { } forest) return false;
        var isText = op.Labels.Strings.Count > 0;
        var (first, hasOne, isPositive) = (-1, true, true);
        foreach (var leaf in op.Forest.LeafVotes.Span)
            foreach (var vote in leaf.Span)
            {
                if (first < 0) first = vote.Target;
                hasOne &= vote.Target == first;
                isPositive &= vote.Weight >= 0;
            }
        var only = op.Labels.Count == 2 && hasOne ? first : -1;
        var classes = new TreeClasses(isText ? [.. Enumerable.Range(0, op.Labels.Count).Select(i => (long)i)] : [.. op.Labels.Integers], isText ? -1 : 0, only, isPositive);
        var descriptor = new TreeDescriptor(0, 0, op.Labels.Count, DType.Float32, TreeTotal.Sum, (TreeTransform)op.Transform, [.. op.BaseValues], classes);
        var label = lowering.Slot(node.Outputs[0]);
        if (!isText)
        {
            Emit(lowering, node, forest, descriptor, lowering.Slot(node.Outputs[1]), label);
            return true;
        }
        var index = lowering.Between(node, new(DType.Int64, node.Outputs[0].Shape));
        Emit(lowering, node, forest, descriptor, lowering.Slot(node.Outputs[1]), index);
        lowering.Emit(new LabelStep(node.Name, index, label, [.. op.Labels.Strings]) { Operation = node.Operator.Name, Origins = node.Origins });
        return true;
    }

    private static TreeForest? Pack(Node node, Forest forest)
    {
        var type = node.Inputs[0]!.DType is DType.Float32 or DType.Float16 ? DType.Float32 : DType.Float64;
        var branches = new TreeBranch[forest.Nodes.Count];
        for (var i = 0; i < branches.Length; i++)
        {
            var n = forest.Nodes[i];
            branches[i] = new((TreeComparison)n.Mode, n.Split, n.Feature, n.True, n.False, n.MissingIsTrue, n.Mode == TreeMode.Member ? forest.Sets[n.Members].ToArray() : default(ReadOnlyMemory<double>));
        }
        var leaves = new Kernels.Trees.TreeVote[forest.LeafVotes.Count][];
        for (var i = 0; i < leaves.Length; i++)
        {
            var votes = forest.LeafVotes[i].Span;
            leaves[i] = new Kernels.Trees.TreeVote[votes.Length];
            for (var k = 0; k < votes.Length; k++) leaves[i][k] = new(votes[k].Target, votes[k].Weight);
        }
        return TreeForest.Pack(type, forest.Roots.Span, branches, leaves);
    }

    private static void Emit(Lowering lowering, Node node, TreeForest forest, TreeDescriptor descriptor, int scores, int labels)
    {
        var input = node.Inputs[0]!;
        var x = Converted(lowering, node, forest.Type);
        var row = TreeTable.Select(forest.Type, forest.Missing);
        lowering.Prepare(row.Name, () => TreePlan.Rehearse(row));
        lowering.Emit(new PlanStep(node.Name, [x], labels < 0 ? [scores] : [labels, scores], context =>
        {
            var shape = context.Shape(x);
            var features = shape[shape.Rank - 1];
            if (features < forest.Features) throw new InvalidInputException($"node {node}: the trees ask for more than the {features} features of '{input.Name}', shape {shape}");
            var plan = new TreePlan(forest, descriptor with { Rows = shape.Rank == 1 ? 1 : shape[0], Features = features }, row);
            return new PlanTasks((s, from, to, scratch) => plan.Run((byte*)s[x], (byte*)s[scores], labels < 0 ? null : (long*)s[labels], from, to, scratch))
            {
                Kernel = plan.Kernel.Name,
                Tasks = plan.Tasks,
                ScratchBytes = plan.ScratchBytes,
                HasLongTasks = true,
            };
        }) { Operation = node.Operator.Name, Origins = node.Origins, Weights = forest.Bytes });
    }

    /// <summary>The slot of the features in the type that the forest takes.</summary>
    private static int Converted(Lowering lowering, Node node, DType to)
    {
        var input = node.Inputs[0]!;
        var x = lowering.Slot(input);
        if (input.DType == to) return x;
        var row = CastTable.Select(input.DType, to)!.Value;
        var y = lowering.Between(node, new(to, input.Shape));
        lowering.Prepare(row.Name, () => CastPlan.Rehearse(row));
        lowering.Emit(new PlanStep(node.Name, [x], [y], context =>
        {
            var plan = new CastPlan(input.DType, to, context.Shape(x).Count, row);
            return new PlanTasks((s, first, end, _) => plan.Run((byte*)s[x], (byte*)s[y], first, end)) { Kernel = plan.Kernel.Name, Tasks = plan.Tasks };
        }) { Operation = node.Operator.Name, Origins = node.Origins });
        return y;
    }

    /// <summary>Puts strings in the place of their indices; -1 stands for an empty one.</summary>
    private sealed class LabelStep(string name, int indices, int output, string[] labels) : ManagedStep(name, [indices], [output])
    {
        public override IReadOnlyList<RuntimeValue> Run(RuntimeValue?[] inputs, ManagedContext context)
        {
            var from = (Tensor)inputs[0]!;
            var texts = new string[from.Count];
            var at = from.Span<long>();
            for (var i = 0; i < texts.Length; i++) texts[i] = at[i] < 0 ? "" : labels[at[i]];
            GC.KeepAlive(from);
            return [Tensor.FromStrings(texts, from.Shape)];
        }
    }
}
