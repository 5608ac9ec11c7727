using AiOptix.Cpu.Layout;
using AiOptix.Graphs;
using AiOptix.Graphs.Ops;

namespace AiOptix.Cpu.Lower;

/// <summary>The rules of operators over channels that lie last, by the operator in <see cref="ChannelsLast"/>.</summary>
internal static class ChannelsLastRules
{
    private static readonly Dictionary<Type, LoweringRule> rules = new()
    {
        [typeof(Conv)] = (lowering, node) => ConvRules.Conv(lowering, node, Inner<Conv>(node)),
        [typeof(ConvTranspose)] = (lowering, node) => ConvTransposeRules.ConvTranspose(lowering, node, Inner<ConvTranspose>(node)),
        [typeof(ConvInteger)] = (lowering, node) => IntegerProductRules.Conv(lowering, node, Inner<ConvInteger>(node)),
        [typeof(QLinearConv)] = (lowering, node) => QuantizedProductRules.Conv(lowering, node, Inner<QLinearConv>(node)),
        [typeof(DepthToSpace)] = (lowering, node) => MovementRules.DepthToSpaceLast(lowering, node, Inner<DepthToSpace>(node)),
        [typeof(AveragePool)] = (lowering, node) => PoolRules.ChannelsLast(lowering, node, Inner<AveragePool>(node)),
        [typeof(MaxPool)] = (lowering, node) => PoolRules.ChannelsLast(lowering, node, Inner<MaxPool>(node)),
        [typeof(BatchNormalization)] = (lowering, node) => NormRules.ChannelsLast(lowering, node, Inner<BatchNormalization>(node)),
        [typeof(InstanceNormalization)] = (lowering, node) => NormRules.ChannelsLast(lowering, node, null, Inner<InstanceNormalization>(node).Epsilon),
        [typeof(GroupNormalization)] = (lowering, node) => NormRules.ChannelsLast(lowering, node, Inner<GroupNormalization>(node).NumGroups, Inner<GroupNormalization>(node).Epsilon),
    };

    /// <summary>The operators that have a rule.</summary>
    public static IEnumerable<Type> Operators => rules.Keys;

    public static bool Lower(Lowering lowering, Node node) => rules.TryGetValue(((ChannelsLast)node.Operator).Inner.GetType(), out var rule) && rule(lowering, node);

    private static T Inner<T>(Node node) where T : Operator => (T)((ChannelsLast)node.Operator).Inner;
}
