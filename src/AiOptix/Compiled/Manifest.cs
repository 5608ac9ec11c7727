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
    public required IReadOnlyList<(long Offset, long Length, string Form)> Blocks { get; init; }

    /// <summary>Which of them lowering asks for, in order.</summary>
    public required IReadOnlyList<int> Asked { get; init; }

    /// <summary>Checksums of the content, a <see cref="Chunks"/> each.</summary>
    public required IReadOnlyList<ulong> Sums { get; init; }

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
        var entries = text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')).ToLookup(words => words[0], words => words[1..], StringComparer.Ordinal);
        if (Number(One("format", 1)[0]) != Format) throw new FormatException($"format {One("format", 1)[0]} is not {Format}");
        var (target, graph) = (One("target", 4), One("graph", 2));
        return new()
        {
            Build = One("build", 1)[0],
            Target = new((Isa)Small(target[0]), Small(target[1]), Small(target[2]), Number(target[3])),
            Rewrite = One("rewrite", 1)[0] == "1",
            Tuning = Sum(One("tuning", 1)[0]),
            Tuned = All("tuned", 2).ToDictionary(t => Uri.UnescapeDataString(t[0]), t => Uri.UnescapeDataString(t[1]), StringComparer.Ordinal),
            Files = [.. All("file", 5).Select(f => new SourceFile(new(Uri.UnescapeDataString(f[4]), Number(f[0]), Time(f[1])), Sum(f[2]), Sum(f[3])))],
            Graph = (Number(graph[0]), Number(graph[1])),
            Blocks = Array.ConvertAll(All("block", 3), b => (Number(b[0]), Number(b[1]), Uri.UnescapeDataString(b[2]))),
            Asked = Array.ConvertAll(All("asked", 1), a => Small(a[0])),
            Sums = Array.ConvertAll(All("sum", 1), s => Sum(s[0])),
        };

        string[] One(string word, int fields) => All(word, fields) is [var only] ? only : throw new FormatException($"there must be one '{word}'");

        string[][] All(string word, int fields) =>
            [.. entries[word].Select(e => e.Length == fields ? e : throw new FormatException($"'{word}' must have {fields} fields"))];
    }

    private static string Hex(ulong sum) => sum.ToString("x16", CultureInfo.InvariantCulture);

    private static long Number(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : throw new FormatException($"'{text}' is no number");

    private static int Small(string text) => Number(text) is <= int.MaxValue and var n ? (int)n : throw new FormatException($"'{text}' is too large");

    private static ulong Sum(string text) =>
        ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var n) ? n : throw new FormatException($"'{text}' is no checksum");

    private static DateTime Time(string text) =>
        Number(text) is var ticks && ticks <= DateTime.MaxValue.Ticks ? new(ticks, DateTimeKind.Utc) : throw new FormatException($"'{text}' is no time");
}
