using AiOptix.Cpu.Layout;
using AiOptix.Graphs;
using AiOptix.Graphs.Ops;

namespace AiOptix.Cpu.Lower;

/// <summary>Operators over channels that lie last.</summary>
internal static class ChannelsLastRules
{
    public static bool Lower(Lowering lowering, Node node) => ((ChannelsLast)node.Operator).Inner switch
    {
        Conv op => ConvRules.Conv(lowering, node, op),
        ConvTranspose op => ConvTransposeRules.ConvTranspose(lowering, node, op),
        Pool op => PoolRules.ChannelsLast(lowering, node, op),
        BatchNormalization op => NormRules.ChannelsLast(lowering, node, op),
        InstanceNormalization op => NormRules.ChannelsLast(lowering, node, null, op.Epsilon),
        GroupNormalization op => NormRules.ChannelsLast(lowering, node, op.NumGroups, op.Epsilon),
        _ => false,
    };
}
