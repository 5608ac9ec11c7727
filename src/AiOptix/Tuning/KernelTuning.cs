using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using AiOptix.Compiled;
using AiOptix.Kernels.Choice;
using AiOptix.Tensors;

namespace AiOptix.Tuning;

/// <summary>
/// Which kernels won when they were timed (<see cref="KernelTuner"/>), by problem. Given to <see cref="CompileOptions.Tuning"/>, it chooses in place of the cost model where it knows a problem. A file
/// of it may hold the winners of several CPUs; only those of this CPU and this build of AI Optix count. The file is not trusted: what cannot be meant is left out and said. Immutable.
/// </summary>
public sealed class KernelTuning
{
    private const int Format = 1;
    private const long MostBytes = 16 << 20;
    private const int MostEntries = 100_000;
    private const int MostName = 128;

    private readonly SortedDictionary<string, string> winners;

    private KernelTuning(SortedDictionary<string, string> winners, IReadOnlyList<string> notices)
    {
        this.winners = winners;
        Notices = notices;
        Digest = Checksum.Of(Encoding.UTF8.GetBytes(string.Join('\n', winners.Select(w => $"{w.Key} {w.Value}"))));
        Chooser = new Stored(winners);
    }

    /// <summary>No winners.</summary>
    public static KernelTuning Empty { get; } = new(new(StringComparer.Ordinal), []);

    /// <summary>
    /// Where winners are kept unless a path is given: <c>ai-optix/kernels.json</c> in the user's cache folder, which is <c>XDG_CACHE_HOME</c> where that names an absolute path, otherwise
    /// <c>.cache</c> in the home folder, on Windows the local application data.
    /// </summary>
    public static string DefaultPath => PathIn(Environment.GetEnvironmentVariable("XDG_CACHE_HOME"));

    /// <summary>The winning kernel of each problem.</summary>
    public IReadOnlyDictionary<string, string> Winners => winners;

    /// <summary>What was left out of a file that was read, and why.</summary>
    public IReadOnlyList<string> Notices { get; }

    internal ulong Digest { get; }

    internal IKernelChooser Chooser { get; }

    /// <summary>This CPU, as entries name it.</summary>
    private static string Cpu { get; } = CpuOf(MachineReport.Create());

    /// <summary>Winners known beforehand; a problem that is none, or a name that is none of its kernels, is not used.</summary>
    public static KernelTuning Of(IEnumerable<KeyValuePair<string, string>> winners) => new(new SortedDictionary<string, string>(new Dictionary<string, string>(winners), StringComparer.Ordinal), []);

    /// <summary>Reads a file. One that is not there, or is damaged, has no winners, and <see cref="Notices"/> says so.</summary>
    /// <param name="path">The file; <see cref="DefaultPath"/> when null.</param>
    public static KernelTuning Load(string? path = null)
    {
        path ??= DefaultPath;
        if (!File.Exists(path)) return new(new(StringComparer.Ordinal), [$"there are no tuned kernels in '{path}' (optix tune MODEL makes them)"]);
        try
        {
            var winners = new SortedDictionary<string, string>(StringComparer.Ordinal);
            int foreign = 0, stale = 0, wrong = 0;
            foreach (var entry in Read(path))
            {
                if (entry.Cpu != Cpu) foreign++;
                else if (entry.Version != ProgramFile.ThisBuild) stale++;
                else if (!IsMeant(entry)) wrong++;
                else winners[entry.Problem] = entry.Kernel;
            }
            return new(winners, [.. Word(foreign, "another CPU"), .. Word(stale, "another version of AI Optix"), .. Word(wrong, "no problem and kernel of this one")]);
        }
        catch (Exception e) when (e is JsonException or FormatException or IOException or UnauthorizedAccessException)
        {
            return new(new(StringComparer.Ordinal), [$"'{path}' is not used: {e.Message}"]);
        }

        IEnumerable<string> Word(int count, string of) => count == 0 ? [] : [$"{count.ToString(CultureInfo.InvariantCulture)} entries of '{path}' are left out: they are of {of}"];
    }

    /// <summary>
    /// Writes a file: to a temporary one first, so that no half file is left. Winners of other CPUs that are in it stay; those of other versions of AI Optix go.
    /// </summary>
    /// <param name="path">The file; <see cref="DefaultPath"/> when null. Its folder is made when it is not there.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Save(string? path = null)
    {
        path = Path.GetFullPath(path ?? DefaultPath);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        Entry[] others;
        try
        {
            others = File.Exists(path) ? [.. Read(path).Where(e => e.Version == ProgramFile.ThisBuild && (e.Cpu != Cpu || !winners.ContainsKey(e.Problem)))] : [];
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            others = [];
        }
        var entries = others.Concat(winners.Select(w => new Entry(Cpu, ProgramFile.ThisBuild, w.Key, w.Value)));
        var root = new JsonObject
        {
            ["format"] = Format,
            ["entries"] = new JsonArray([.. entries.Select(e => (JsonNode)new JsonObject { ["cpu"] = e.Cpu, ["version"] = e.Version, ["problem"] = e.Problem, ["kernel"] = e.Kernel })]),
        };
        var temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            using (var file = new FileStream(temporary, FileMode.CreateNew))
            {
                using (var writer = new Utf8JsonWriter(file, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping })) root.WriteTo(writer);
                file.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    internal static string PathIn(string? cache)
    {
        if (string.IsNullOrEmpty(cache) || !Path.IsPathFullyQualified(cache))
            cache = OperatingSystem.IsWindows() ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData) : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        return Path.Combine(cache, "ai-optix", "kernels.json");
    }

    private static string CpuOf(MachineReport machine) => string.Create(CultureInfo.InvariantCulture,
        $"{machine.Processor} {string.Join(' ', machine.InstructionSets)} {machine.Target.L1Bytes}/{machine.Target.L2Bytes}/{machine.Target.L3Bytes}");

    private static bool IsMeant(Entry entry)
    {
        try
        {
            return KernelProblem.Parse(entry.Problem) is var problem && problem.Key == entry.Problem && problem.Candidates(Kernels.HostTarget.Current).Contains(entry.Kernel);
        }
        catch (FormatException)
        {
            return false;
        }
    }

    private static List<Entry> Read(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        if (file.Length > MostBytes) throw new FormatException($"it is larger than {MostBytes >> 20} MiB");
        using var document = JsonDocument.Parse(file, new JsonDocumentOptions { MaxDepth = 8 });
        var root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("format", out var format) || format.ValueKind != JsonValueKind.Number || !format.TryGetInt32(out var version) || version != Format)
            throw new FormatException($"it is no file of tuned kernels of format {Format}");
        if (!root.TryGetProperty("entries", out var entries) || entries.ValueKind != JsonValueKind.Array || entries.GetArrayLength() > MostEntries) throw new FormatException("it has no list of entries, or too long a one");
        return [.. entries.EnumerateArray().Select(e => new Entry(Text(e, "cpu"), Text(e, "version"), Text(e, "problem"), Text(e, "kernel")))];
    }

    private static string Text(JsonElement entry, string name) =>
        entry.ValueKind == JsonValueKind.Object && entry.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: <= MostName * 4 } text
            ? text : throw new FormatException($"an entry has no '{name}'");

    private sealed record Entry(string Cpu, string Version, string Problem, string Kernel);

    private sealed class Stored(IReadOnlyDictionary<string, string> winners) : IKernelChooser
    {
        public string? Choose(KernelProblem problem, Target target) => winners.GetValueOrDefault(problem.Key);
    }
}
