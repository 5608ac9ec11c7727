using System.Text.Json.Nodes;
using AiOptix.Optimization;
using AiOptix.Passes.Quantize;

namespace AiOptix;

/// <content>Searches within a budget.</content>
public static partial class ModelJson
{
    /// <summary>What a search within a budget did and found.</summary>
    private static JsonObject Search(SearchReport report) => new()
    {
        ["summary"] = report.Summary,
        ["chosen"] = report.Chosen,
        ["budget"] = new JsonObject
        {
            ["max_accuracy_drop"] = report.Budget.MaxAccuracyDrop,
            ["max_error"] = report.Budget.MaxError,
            ["metric"] = report.Budget.Scored.Name,
            ["objective"] = report.Budget.Objective.ToString().ToLowerInvariant(),
            ["confidence"] = report.Budget.Confidence,
            ["coverage"] = report.Budget.Coverage,
            ["seconds"] = report.Budget.Time.TotalSeconds,
            ["allow_little_data"] = report.Budget.AllowLittleData,
            ["seed"] = report.Budget.Seed,
        },
        ["samples"] = new JsonObject { ["calibration"] = report.Split.Calibration.Count, ["search"] = report.Split.Search.Count, ["held_back"] = report.Split.HeldBack.Count },
        ["attempts"] = new JsonArray([.. report.Attempts.Select(a => (JsonNode)JsonValue.Create(a))]),
        ["proof"] = report.Proof is { } p ? Proof(p) : null,
        ["speed_over_fp32"] = report.SpeedOverFloat is { } s ? Speed(s) : null,
        ["candidates"] = new JsonArray([.. report.Candidates.Select(c => (JsonNode)new JsonObject
        {
            ["name"] = c.Name,
            ["verdict"] = Words(c.Verdict),
            ["noise"] = Finite(c.Noise),
            ["drop"] = Finite(c.Drop),
            ["speed"] = c.Speed is { } r ? Speed(r) : null,
            ["weight_bytes"] = c.WeightBytes,
            ["products"] = c.Plan.Nodes.Count(n => n.Value != QuantizedForm.Float),
            ["proof"] = c.Proof is { } proof ? Proof(proof) : null,
        })]),
        ["nodes"] = new JsonArray([.. report.Nodes.Select(n => (JsonNode)new JsonObject
        {
            ["node"] = n.Node,
            ["operation"] = n.Operation,
            ["seconds_before"] = n.SecondsBefore,
            ["seconds_after"] = n.SecondsAfter,
            ["kernel_before"] = n.KernelBefore,
            ["kernel_after"] = n.KernelAfter,
            ["precision"] = n.Precision,
            ["noise"] = n.Noise is { } noise ? Finite(noise) : null,
        })]),
        ["baseline_times"] = new JsonArray([.. report.BaselineTimes.Select(t => (JsonNode)JsonValue.Create(t))]),
        ["optimized_times"] = new JsonArray([.. report.ChosenTimes.Select(t => (JsonNode)JsonValue.Create(t))]),
        ["baseline_bytes"] = report.BaselineBytes,
        ["optimized_bytes"] = report.ChosenBytes,
        ["elapsed_seconds"] = report.Elapsed.TotalSeconds,
        ["ran_out_of_time"] = report.RanOutOfTime,
        ["resumed"] = report.IsResumed,
        ["graph_checksum"] = report.GraphChecksum,
    };

    /// <summary>A verdict in words.</summary>
    public static string Words(Verdict verdict) => verdict switch
    {
        Verdict.Compared => "compared only",
        Verdict.OverBudget => "over the budget",
        Verdict.NotFaster => "not faster than fp32",
        Verdict.NotBetter => "not better than the best so far",
        Verdict.Fits => "fits, not put to the proof",
        Verdict.NotProven => "not proven",
        _ => "proven",
    };

    private static JsonObject Proof(BudgetProof proof) => new()
    {
        ["holds"] = proof.Holds,
        ["metric"] = proof.Metric,
        ["is_error"] = proof.IsError,
        ["units"] = proof.Units,
        ["units_needed"] = proof.UnitsNeeded,
        ["is_shown"] = proof.IsShown,
        ["baseline_score"] = Finite(proof.BaselineScore),
        ["score"] = Finite(proof.Score),
        ["lost"] = proof.Lost,
        ["gained"] = proof.Gained,
        ["drop"] = Finite(proof.Drop),
        ["worse_end"] = Finite(proof.WorseEnd),
        ["coverage"] = proof.Coverage,
        ["limit"] = proof.Limit,
        ["confidence"] = proof.Confidence,
        ["method"] = proof.Method,
    };
}
