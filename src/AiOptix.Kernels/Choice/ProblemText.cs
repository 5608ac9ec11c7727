using System.Globalization;

namespace AiOptix.Kernels.Choice;

/// <summary>The text of a problem: an operation, a colon, and words between commas, most of them NAME=VALUE. Numbers are held to what a plan can count.</summary>
internal sealed class ProblemText
{
    private const int MostCharacters = 512;
    private const int MostNumber = 1 << 28;

    private readonly string text;
    private readonly Dictionary<string, string> named = new(StringComparer.Ordinal);
    private readonly Queue<string> plain = new();

    /// <exception cref="FormatException">It has no such form.</exception>
    public ProblemText(string text)
    {
        this.text = text.Length <= MostCharacters ? text : text[..40] + "…";
        if (text.Length > MostCharacters) throw Wrong("it is too long");
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        Operation = colon < 0 ? "" : text[..colon];
        if (colon < 0) return;
        foreach (var word in text[(colon + 1)..].Split(','))
        {
            var equals = word.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0) plain.Enqueue(word);
            else if (!named.TryAdd(word[..equals], word[(equals + 1)..])) throw Wrong($"it says '{word[..equals]}' twice");
        }
    }

    /// <summary>What stands before the colon.</summary>
    public string Operation { get; }

    /// <summary>The next word without a name; null when there is none.</summary>
    public string? Next() => plain.TryDequeue(out var word) ? word : null;

    /// <summary>True when a word without a name is next in line.</summary>
    public bool Flag(string word)
    {
        if (!plain.TryPeek(out var next) || next != word) return false;
        plain.Dequeue();
        return true;
    }

    /// <summary>The value of a name, or a standard one.</summary>
    public string Word(string name, string standard) => named.Remove(name, out var value) ? value : standard;

    /// <summary>A number of at least <paramref name="least"/>.</summary>
    public int Number(string name, int least, int? standard = null) =>
        named.Remove(name, out var value) ? Number(value, least, name) : standard ?? throw Wrong($"{name}=… is missing");

    /// <summary>Numbers between crosses.</summary>
    public int[] Numbers(string value, int least, string what) => [.. value.Split('x').Select(v => Number(v, least, what))];

    /// <summary>A number that stands for something.</summary>
    public int Number(string value, int least, string what) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n >= least && n <= MostNumber ? n : throw Wrong($"{what} is '{value}', expected a number from {least}");

    /// <summary>Nothing may be left.</summary>
    public void End()
    {
        if (named.Keys.Concat(plain).FirstOrDefault() is { } left) throw Wrong($"nobody knows '{left}'");
    }

    /// <summary>What is wrong with it.</summary>
    public FormatException Wrong(string why) => new($"'{text}' is no problem for kernels: {why}");
}
