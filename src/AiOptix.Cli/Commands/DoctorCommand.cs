using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;

namespace AiOptix.Cli.Commands;

/// <summary><c>optix doctor</c>: what the machine is, what of it the process may use, what one core reaches.</summary>
internal static class DoctorCommand
{
    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal)
    {
        var json = Options.Json();
        var command = new Command("doctor", "Describe the machine and measure what one core reaches.") { json };
        command.SetAction(parsed =>
        {
            var machine = MachineReport.Create();
            var peaks = machine.Measure();
            if (parsed.GetValue(json)) terminal.Json(ToJson(machine, peaks));
            else Print(machine, peaks, terminal);
        });
        return command;
    }

    private static void Print(MachineReport machine, MachinePeaks peaks, Terminal terminal)
    {
        terminal.Heading("Machine");
        terminal.Facts(
            ("Processor", machine.Processor),
            ("System", machine.System),
            ("Runtime", machine.Runtime),
            ("Instruction sets", machine.InstructionSets.Count == 0 ? "portable code only" : string.Join(" ", machine.InstructionSets)),
            ("Caches", $"L1 {Units.Bytes(machine.Target.L1Bytes)}, L2 {Units.Bytes(machine.Target.L2Bytes)}, L3 {Units.Bytes(machine.Target.L3Bytes)}"),
            ("Memory", Units.Bytes(machine.MemoryBytes)));
        terminal.Heading("What this process may use");
        terminal.Facts(
            ("Cores", string.Create(CultureInfo.InvariantCulture, $"{machine.LogicalCores} logical, {machine.PhysicalCores} physical")),
            ("Quota", machine.Quota is { } q ? string.Create(CultureInfo.InvariantCulture, $"{q:0.##} cores") : "none"),
            ("Generated code", machine.GeneratedCodeObstacle is { } obstacle ? $"no: {obstacle}" : "yes"),
            ("Default threads", machine.DefaultThreads.ToString(CultureInfo.InvariantCulture)));
        terminal.Heading("What one core reaches");
        terminal.Facts(
            ("float32", $"{Units.Three(peaks.Float32Gflops)} Gflop/s"),
            ("int8", $"{Units.Three(peaks.Int8Gops)} Gop/s (without VNNI, which only generated code can use)"),
            ("memory copy", $"{Units.Three(peaks.CopyGigabytes)} GB/s read and written"));
    }

    private static JsonObject ToJson(MachineReport machine, MachinePeaks peaks) => new()
    {
        ["processor"] = machine.Processor,
        ["system"] = machine.System,
        ["runtime"] = machine.Runtime,
        ["instruction_sets"] = new JsonArray([.. machine.InstructionSets.Select(i => (JsonNode)i)]),
        ["l1_bytes"] = machine.Target.L1Bytes,
        ["l2_bytes"] = machine.Target.L2Bytes,
        ["l3_bytes"] = machine.Target.L3Bytes,
        ["memory_bytes"] = machine.MemoryBytes,
        ["logical_cores"] = machine.LogicalCores,
        ["physical_cores"] = machine.PhysicalCores,
        ["quota_cores"] = machine.Quota,
        ["default_threads"] = machine.DefaultThreads,
        ["generated_code"] = machine.GeneratedCodeObstacle is null,
        ["generated_code_obstacle"] = machine.GeneratedCodeObstacle,
        ["float32_gflops"] = peaks.Float32Gflops,
        ["int8_gops"] = peaks.Int8Gops,
        ["copy_gigabytes_per_second"] = peaks.CopyGigabytes,
    };
}
