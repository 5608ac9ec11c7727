using System.Text.Json.Nodes;
using AiOptix.Optimization;

namespace AiOptix;

/// <summary>Models and what became of them, as JSON: the form in which the command line and the Python package hand them on.</summary>
public static partial class ModelJson
{
    /// <summary>What a model's file says of itself.</summary>
    public static JsonObject Metadata(Model model) => new()
    {
        ["name"] = model.Name,
        ["producer"] = model.Graph.Metadata.Producer,
        ["domain"] = model.Graph.Metadata.Domain,
        ["version"] = model.Graph.Metadata.ModelVersion,
        ["description"] = model.Graph.Metadata.Documentation,
        ["graph_description"] = model.Graph.Annotation.Documentation,
        ["ir_version"] = model.Graph.Metadata.IrVersion,
        ["opsets"] = new JsonObject(model.Graph.Metadata.Opsets.Select(o => KeyValuePair.Create(o.Key.Length == 0 ? "ai.onnx" : o.Key, (JsonNode?)o.Value))),
        ["properties"] = new JsonObject(model.Graph.Metadata.Properties.Select(p => KeyValuePair.Create(p.Key, (JsonNode?)p.Value))),
    };

    /// <summary>What an optimisation changed, what it gained, and the proof.</summary>
    public static JsonObject Result(OptimizationResult result) => new()
    {
        ["nodes_before"] = result.Report.NodesBefore,
        ["nodes_after"] = result.Report.NodesAfter,
        ["stopped"] = result.Report.Stopped,
        ["patches"] = new JsonArray([.. result.Report.Applied.Select(p => (JsonNode)new JsonObject
        {
            ["index"] = p.Index,
            ["pass"] = p.Pass,
            ["description"] = p.Description,
            ["before"] = new JsonArray([.. p.Before.Select(n => (JsonNode)n)]),
            ["after"] = new JsonArray([.. p.After.Select(n => (JsonNode)n)]),
        })]),
        ["passes"] = new JsonArray([.. result.Gains.Select(g => (JsonNode)new JsonObject
        {
            ["pass"] = g.Pass,
            ["patches"] = g.Patches,
            ["speed"] = g.Gain is { } r ? Speed(r) : null,
        })]),
        ["proof"] = new JsonObject
        {
            ["holds"] = result.Proof.Holds,
            ["samples"] = result.Proof.Samples,
            ["outputs"] = new JsonArray([.. result.Proof.Outputs.Select(o => (JsonNode)new JsonObject
            {
                ["output"] = o.Output,
                ["max_absolute"] = Finite(o.MaxAbsolute),
                ["max_scaled"] = Finite(o.MaxScaled),
                ["cosine"] = Finite(o.Cosine),
                ["problem"] = o.Problem,
            })]),
        },
        ["speed"] = Speed(result.Speed),
        ["threads"] = result.Threads,
        ["search"] = result.Search is { } search ? Search(search) : null,
    };

    private static JsonObject Speed(SpeedRatio ratio) => new()
    {
        ["baseline_seconds"] = ratio.BaselineSeconds,
        ["optimized_seconds"] = ratio.CandidateSeconds,
        ["ratio"] = ratio.Ratio,
        ["low"] = ratio.Low,
        ["high"] = ratio.High,
        ["pairs"] = ratio.Pairs,
    };

    /// <summary>JSON has no infinities and no NaN.</summary>
    private static JsonNode? Finite(double value) => double.IsFinite(value) ? value : null;
}
