using AiOptix.Graphs;
using AiOptix.Passes.Cleanup;
using AiOptix.Passes.Fold;
using AiOptix.Passes.Fuse;
using AiOptix.Passes.Quantize;
using AiOptix.Tensors;

namespace AiOptix.Passes;

/// <summary>The passes, all of them, in order. To read this list is to know the portable half of the optimiser.</summary>
public static class Pipeline
{
    /// <summary>The name of the group after which quantised regions are exact: what comes before changes no answer of theirs, and what comes after starts from them.</summary>
    public const string Integers = "compute in integers";

    /// <summary>The groups from top to bottom; each runs, together with those above it, until nothing matches.</summary>
    /// <param name="limits">Bounds on what folding may allocate.</param>
    /// <param name="isLeft">Nodes of constants that are not folded, because a backend reads through them; null folds all.</param>
    public static IReadOnlyList<PassGroup> Create(Limits limits, Func<Node, bool>? isLeft = null) =>
    [
        new("cleanup",
        [
            new DeadNodes(),
            new NoOps(),
            new NoMovement(),
            new NoArithmetic(),
            new ElementsFolding(),
            new ConstantFolding(limits, isLeft),
            new ReshapeTargets(),
            new KnownConditions(),
            new ShortLoops(),
            new DuplicateConstants(),
            new DuplicateNodes(),
            new InversePairs(),
            new CastPairs(),
            new TransposePairs(),
            new TransposesAround(),
            new ReshapePairs(),
            new Einsums(),
        ]),
        new(Integers,
        [
            new QuantizedMovement(),
            new QuantizedProducts(),
            new QuantizedAverage(),
            new QuantizedSums(),
        ]),
        new("fold into weights",
        [
            new PadFolding(),
            new FocusFolding(),
            new BatchNormFolding(),
            new ChannelConstantFolding(),
        ]),
        new("fuse",
        [
            new GeluFusion(),
            new SoftmaxFusion(),
            new SwishFusion(),
            new HardSwishFusion(),
            new LayerNormFusion(),
            new RMSNormFusion(),
            new AttentionFusion(),
            new AttentionHeads(),
            new GroupedQueryFusion(),
            new RotaryFusion(),
        ]),
    ];
}
