using System.Diagnostics.Tracing;
using System.Globalization;

namespace AiOptix.Tests;

/// <summary>Listens to what the runtime compiles.</summary>
internal sealed class CompiledMethods : EventListener
{
    private const EventKeywords Jit = (EventKeywords)0x10;
    private const string Marker = "AiOptix.Tests.CompiledMethods";

    /// <summary>The tier in a method's flags: compiled with full optimisation at once, as methods are that ask for it.</summary>
    private const uint Optimized = 2;

    private readonly List<(DateTime At, uint Tier, string Type, string Method)> methods = [];

    /// <summary>
    /// Methods of the kernels that ask for full optimisation, which all hot code does, and that were compiled in a stretch of time. Empty only if the
    /// listener is known to have heard of a method that was compiled after it.
    /// </summary>
    public string[] Kernels(DateTime begin, DateTime end)
    {
        var deadline = DateTime.UtcNow.AddSeconds(20);
        Mark();
        while (!All().Any(m => m.Type == Marker && m.Method == nameof(Mark)))
        {
            if (DateTime.UtcNow > deadline) throw new InvalidOperationException("the runtime did not tell what it compiled");
            Thread.Sleep(10);
        }
        var kernels = All().Where(m => m.Tier == Optimized && m.Type.StartsWith("AiOptix.Kernels.", StringComparison.Ordinal)).ToArray();
        if (!kernels.Any(m => m.At < begin)) throw new InvalidOperationException("no kernel was compiled before the first run");
        return [.. kernels.Where(m => m.At >= begin && m.At <= end).Select(m => $"{m.Type}.{m.Method}")];
    }

    /// <inheritdoc/>
    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name == "Microsoft-Windows-DotNETRuntime") EnableEvents(eventSource, EventLevel.Verbose, Jit);
    }

    /// <inheritdoc/>
    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        if (eventData is not { EventName: { } name, Payload: { Count: > 7 } payload } || !name.StartsWith("MethodLoadVerbose", StringComparison.Ordinal)) return;
        var flags = Convert.ToUInt32(payload[5], CultureInfo.InvariantCulture);
        lock (methods) methods.Add((eventData.TimeStamp.ToUniversalTime(), (flags >> 7) & 7, (string)payload[6]!, (string)payload[7]!));
    }

    private static void Mark() => GC.KeepAlive(Marker);

    private (DateTime At, uint Tier, string Type, string Method)[] All()
    {
        lock (methods) return [.. methods];
    }
}
