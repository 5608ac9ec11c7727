using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using AiOptix.Tensors;

namespace AiOptix.Cli.Commands;

/// <summary><c>optix inspect</c>: what a model takes, gives and holds, what it costs, and what is not supported or has no kernel.</summary>
internal static class InspectCommand
{
    private const int LongestFormula = 60;

    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal)
    {
        var file = Options.Model();
        var dims = Options.Dims();
        var json = Options.Json();
        var command = new Command("inspect", "Show a model's inputs, outputs, operators, size and cost.") { file, dims, json };
        command.SetAction(parsed =>
        {
            var model = Model.Load(parsed.GetValue(file)!);
            var values = new Dictionary<string, long>(parsed.GetValue(dims)!, StringComparer.Ordinal);
            var symbols = SampleInputs.Symbols(model);
            if (values.Keys.Except(symbols).FirstOrDefault() is { } unknown)
                throw new InvalidInputException($"the model's inputs have no symbolic dimension '{unknown}'; they have {(symbols.Count == 0 ? "none" : string.Join(", ", symbols))}");
            var inspection = Inspection.Of(model, values);
            if (parsed.GetValue(json)) terminal.Json(ToJson(model, inspection));
            else Print(model, inspection, terminal);
        });
        return command;
    }

    private static void Print(Model model, Inspection inspection, Terminal terminal)
    {
        var metadata = model.Graph.Metadata;
        terminal.Heading("Model");
        terminal.Facts(
            ("Name", model.Name),
            ("Producer", metadata.Producer),
            ("Operator sets", string.Join(", ", Opsets(model).Select(o => $"{o.Domain} {o.Version.ToString(CultureInfo.InvariantCulture)}"))),
            ("Parameters", $"{Units.Count(inspection.Parameters)} ({Units.Bytes(inspection.ParameterBytes)})"),
            ("Operations", Flops(inspection)));
        foreach (var (title, values) in new[] { ("Inputs", model.Inputs), ("Outputs", model.Outputs) })
        {
            terminal.Heading(title);
            terminal.Facts(values.Select(v => (v.Name, v.Type?.ToString() ?? "type not known")));
        }
        terminal.Heading("Operators");
        terminal.Table(["", ">", ""], inspection.Operators.Select(o => (IReadOnlyList<string>)[o.Name, o.Count.ToString(CultureInfo.InvariantCulture), o.IsKnown ? "" : "not supported"]));
        terminal.Heading("On this machine");
        if (inspection.Plan is not { } plan)
        {
            terminal.Line($"  cannot run: {string.Join(", ", inspection.Operators.Where(o => !o.IsKnown).Select(o => o.Name))} not supported");
            return;
        }
        terminal.Facts(
            ("Steps", plan.Steps.ToString(CultureInfo.InvariantCulture)),
            ("Packed weights", Units.Bytes(plan.PackedBytes)),
            ("Intermediates", plan.ArenaBytes is { } bytes ? Units.Bytes(bytes) : "follow from the inputs' shapes (--dim NAME=VALUE)"),
            ("Without a kernel", plan.ReferenceSteps.Count == 0 ? "none"
                : string.Join(", ", plan.ReferenceSteps.Select(o => $"{o.Name} ({o.Count.ToString(CultureInfo.InvariantCulture)})")) + ": run as Reference steps"));
    }

    private static IEnumerable<(string Domain, long Version)> Opsets(Model model) => model.Graph.Metadata.Opsets
        .Select(o => (Domain: o.Key.Length == 0 ? "ai.onnx" : o.Key, Version: o.Value)).OrderBy(o => o.Domain, StringComparer.Ordinal);

    private static string Flops(Inspection inspection)
    {
        if (inspection.Flops.Constant is { } flops) return $"{Units.Count(flops)}flop a run";
        var formula = inspection.Flops.ToString();
        return formula.Length <= LongestFormula ? $"{formula} flop a run"
            : $"follow from {string.Join(", ", inspection.Flops.Symbols.Order(StringComparer.Ordinal))} (--dim NAME=VALUE)";
    }

    private static JsonObject ToJson(Model model, Inspection inspection)
    {
        static JsonArray Values(IReadOnlyList<ValueInfo> values) => new([.. values.Select(v => (JsonNode)new JsonObject
        {
            ["name"] = v.Name,
            ["type"] = v.Type?.ToString(),
            ["dtype"] = v.DType == DType.Undefined ? null : v.DType.Name(),
            ["shape"] = v.Shape is null ? null : new JsonArray([.. v.Shape.Select(d => d.Constant is { } n ? (JsonNode)n : (JsonNode)d.ToString())]),
        })]);
        static JsonObject Counts(IEnumerable<OperatorCount> counts) => new(counts.Select(o => KeyValuePair.Create(o.Name, (JsonNode?)o.Count)));
        return new()
        {
            ["name"] = model.Name,
            ["producer"] = model.Graph.Metadata.Producer,
            ["opsets"] = new JsonObject(Opsets(model).Select(o => KeyValuePair.Create(o.Domain, (JsonNode?)o.Version))),
            ["inputs"] = Values(model.Inputs),
            ["outputs"] = Values(model.Outputs),
            ["operators"] = Counts(inspection.Operators),
            ["unsupported"] = new JsonArray([.. inspection.Operators.Where(o => !o.IsKnown).Select(o => (JsonNode)o.Name)]),
            ["parameters"] = inspection.Parameters,
            ["parameter_bytes"] = inspection.ParameterBytes,
            ["flops"] = inspection.Flops.Constant,
            ["flops_formula"] = inspection.Flops.ToString(),
            ["steps"] = inspection.Plan?.Steps,
            ["reference_steps"] = inspection.Plan is { } plan ? Counts(plan.ReferenceSteps) : null,
            ["packed_bytes"] = inspection.Plan?.PackedBytes,
            ["intermediate_bytes"] = inspection.Plan?.ArenaBytes,
        };
    }
}
