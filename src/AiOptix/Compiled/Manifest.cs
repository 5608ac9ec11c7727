using System.Globalization;
using System.Text;
using AiOptix.Tensors;

namespace AiOptix.Compiled;

/// <summary>What a saved program says of itself.</summary>
internal sealed record Manifest
{
    private const int Format = 2;

    /// <summary>The build of AI Optix that saved it.</summary>
    public required string Build { get; init; }

    /// <summary>The machine that its kernels were chosen for.</summary>
    public required Target Target { get; init; }

    /// <summary>Whether the portable passes rewrote the model.</summary>
    public required bool Rewrite { get; init; }

    /// <summary>Says from which tuning its kernels are; 0 when the cost model chose them all.</summary>
    public required ulong Tuning { get; init; }

    /// <summary>The tuned kernel of each problem in it.</summary>
    public required IReadOnlyDictionary<string, string> Tuned { get; init; }

    /// <summary>The files of the model, its main one first; none when it came from memory.</summary>
    public required IReadOnlyList<SourceFile> Files { get; init; }

    /// <summary>Where the graph lies.</summary>
    public required (long Offset, long Length) Graph { get; init; }

    /// <summary>Where packed weights lie, and in which form.</summary>
    public required IReadOnlyList<SavedBlock> Blocks { get; init; }

    /// <summary>Which of them lowering asks for, in order.</summary>
    public required int[] Asked { get; init; }

    /// <summary>Checksums of the content, a <see cref="Chunks"/> each.</summary>
    public required ulong[] Sums { get; init; }

    /// <summary>The text form: a line an entry, a word that says what it is, its fields behind.</summary>
    public string Write()
    {
        var text = new StringBuilder();
        Line("format", Format);
        Line("build", Build);
        Line("target", (int)Target.Isa, Target.L1Bytes, Target.L2Bytes, Target.L3Bytes);
        Line("rewrite", Rewrite ? 1 : 0);
        Line("tuning", Hex(Tuning));
        foreach (var (problem, kernel) in Tuned) Line("tuned", Uri.EscapeDataString(problem), Uri.EscapeDataString(kernel));
        foreach (var f in Files) Line("file", f.Stamp.Length, f.Stamp.Written.Ticks, Hex(f.Sample), Hex(f.Content), Uri.EscapeDataString(f.Stamp.Path));
        Line("graph", Graph.Offset, Graph.Length);
        foreach (var (offset, length, form) in Blocks) Line("block", offset, length, Uri.EscapeDataString(form));
        foreach (var a in Asked) Line("asked", a);
        foreach (var s in Sums) Line("sum", Hex(s));
        return text.ToString();

        void Line(params ReadOnlySpan<object> fields) => text.AppendJoin(' ', fields.ToArray().Select(f => Convert.ToString(f, CultureInfo.InvariantCulture))).Append('\n');
    }

    /// <summary>Reads the text form.</summary>
    /// <exception cref="FormatException">It is not one.</exception>
    public static Manifest Read(string text)
    {
        var entries = new Dictionary<string, List<string[]>>(StringComparer.Ordinal);
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var words = line.Split(' ');
            if (!entries.TryGetValue(words[0], out var same)) entries[words[0]] = same = [];
            same.Add(words);
        }
        if (Number(One("format", 1)[1]) != Format) throw new FormatException($"format {One("format", 1)[1]} is not {Format}");
        var (target, graph) = (One("target", 4), One("graph", 2));
        var tuned = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var t in All("tuned", 2))
            if (!tuned.TryAdd(Word(t[1]), Word(t[2]))) throw new FormatException($"'{t[1]}' is tuned twice");
        return new()
        {
            Build = One("build", 1)[1],
            Target = new((Isa)Small(target[1]), Small(target[2]), Small(target[3]), Number(target[4])),
            Rewrite = One("rewrite", 1)[1] == "1",
            Tuning = Sum(One("tuning", 1)[1]),
            Tuned = tuned,
            Files = All("file", 5).ConvertAll(f => new SourceFile(new(Word(f[5]), Number(f[1]), Time(f[2])), Sum(f[3]), Sum(f[4]))),
            Graph = (Number(graph[1]), Number(graph[2])),
            Blocks = All("block", 3).ConvertAll(b => new SavedBlock(Number(b[1]), Number(b[2]), Word(b[3]))),
            Asked = Array.ConvertAll(All("asked", 1).ToArray(), a => Small(a[1])),
            Sums = Array.ConvertAll(All("sum", 1).ToArray(), s => Sum(s[1])),
        };

        string[] One(string word, int fields) => All(word, fields) is [var only] ? only : throw new FormatException($"there must be one '{word}'");

        List<string[]> All(string word, int fields)
        {
            if (!entries.TryGetValue(word, out var found)) return [];
            foreach (var words in found)
                if (words.Length != fields + 1) throw new FormatException($"'{word}' must have {fields} fields");
            return found;
        }
    }

    private static string Word(string escaped) => escaped.Contains('%', StringComparison.Ordinal) ? Uri.UnescapeDataString(escaped) : escaped;

    private static string Hex(ulong sum) => sum.ToString("x16", CultureInfo.InvariantCulture);

    private static long Number(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : throw new FormatException($"'{text}' is no number");

    private static int Small(string text) => Number(text) is <= int.MaxValue and var n ? (int)n : throw new FormatException($"'{text}' is too large");

    private static ulong Sum(string text) =>
        ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var n) ? n : throw new FormatException($"'{text}' is no checksum");

    private static DateTime Time(string text) =>
        Number(text) is var ticks && ticks <= DateTime.MaxValue.Ticks ? new(ticks, DateTimeKind.Utc) : throw new FormatException($"'{text}' is no time");
}

/// <summary>Where packed weights lie, and in which form.</summary>
/// <param name="Offset">The first byte in the file.</param>
/// <param name="Length">How many bytes.</param>
/// <param name="Form">Whatever decides the bytes besides the constants.</param>
internal sealed record SavedBlock(long Offset, long Length, string Form);
