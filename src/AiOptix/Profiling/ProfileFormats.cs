using System.Text.Json.Nodes;
using AiOptix.Pages;

namespace AiOptix.Profiling;

/// <summary>A profile as a trace, as JSON and as a page.</summary>
public static class ProfileFormats
{
    /// <summary>The last run in the Trace Event Format, which chrome://tracing and Perfetto read: one complete event ("ph": "X") a step call, times in microseconds.</summary>
    public static JsonObject ToTrace(this ModelProfile profile)
    {
        ArgumentNullException.ThrowIfNull(profile);
        var events = new JsonArray(Named("process_name", profile.Model), Named("thread_name", "steps"));
        foreach (var call in profile.LastRun)
        {
            var step = profile.Steps[call.Step];
            events.Add((JsonNode)new JsonObject
            {
                ["name"] = step.Operation,
                ["cat"] = step.Kernel ?? "managed",
                ["ph"] = "X",
                ["ts"] = call.Begin * 1e6,
                ["dur"] = call.Seconds * 1e6,
                ["pid"] = 1,
                ["tid"] = 1,
                ["args"] = new JsonObject { ["node"] = step.Name, ["kernel"] = step.Kernel, ["from"] = Origins(step), ["flops"] = step.Flops / step.Calls, ["bytes"] = step.Bytes / step.Calls },
            });
        }
        return new() { ["traceEvents"] = events, ["displayTimeUnit"] = "ms" };
    }

    /// <summary>Every figure. Seconds, operations and bytes are those of one run.</summary>
    public static JsonObject ToJson(this ModelProfile profile)
    {
        ArgumentNullException.ThrowIfNull(profile);
        return new()
        {
            ["model"] = profile.Model,
            ["threads"] = profile.Threads,
            ["runs"] = profile.Runs,
            ["seconds"] = profile.Seconds,
            ["peak_gflops"] = profile.Peaks.Float32Gflops,
            ["peak_gigabytes_per_second"] = profile.Peaks.CopyGigabytes,
            ["steps"] = new JsonArray([.. profile.Steps.Select(s => (JsonNode)new JsonObject
            {
                ["name"] = s.Name,
                ["operation"] = s.Operation,
                ["kernel"] = s.Kernel,
                ["origins"] = Origins(s),
                ["depth"] = s.Depth,
                ["calls"] = s.Calls,
                ["seconds"] = s.Seconds,
                ["share"] = s.Share,
                ["flops"] = s.Flops,
                ["bytes"] = s.Bytes,
                ["gflops_per_second"] = s.Gflops,
                ["gigabytes_per_second"] = s.Gigabytes,
                ["of_roofline"] = s.OfRoof(profile.Peaks),
            })]),
        };
    }

    /// <summary>A self-contained page: a roofline chart, the time by operation, and a table to sort. It asks the network for nothing.</summary>
    /// <param name="profile">The profile.</param>
    /// <param name="machine">The machine it was measured on.</param>
    public static string ToHtml(this ModelProfile profile, MachineReport machine)
    {
        ArgumentNullException.ThrowIfNull(profile);
        ArgumentNullException.ThrowIfNull(machine);
        var data = profile.ToJson();
        data["machine"] = new JsonObject { ["processor"] = machine.Processor, ["system"] = machine.System, ["runtime"] = machine.Runtime };
        return Page.Render($"Profile of {profile.Model}", "profile", data);
    }

    private static JsonArray Origins(ProfiledStep step) => new([.. step.Origins.Select(o => (JsonNode)o)]);

    private static JsonObject Named(string what, string name) =>
        new() { ["name"] = what, ["ph"] = "M", ["pid"] = 1, ["tid"] = 1, ["args"] = new JsonObject { ["name"] = name } };
}
