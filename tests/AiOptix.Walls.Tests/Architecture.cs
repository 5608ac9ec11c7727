namespace AiOptix.Walls.Tests;

/// <summary>A row of the table of rooms: a project and what it may reference. A later one need not exist yet.</summary>
internal sealed record Room(string Name, bool Later, IReadOnlySet<string> MayReference);

/// <summary>The tables of docs/architecture.md, which is the authority.</summary>
internal static class Architecture
{
    private const string Heading = "## Rooms and walls";

    public static IReadOnlyList<Room> Rooms { get; } = ReadRooms();

    public static IReadOnlyDictionary<string, IReadOnlySet<string>> Packages { get; } =
        Table("| project | packages |").ToDictionary(r => Ticked(r[0]), r => Names(r[1]), StringComparer.Ordinal);

    private static List<Room> ReadRooms()
    {
        var rooms = new List<Room>();
        foreach (var row in Table("| project | holds | may reference |"))
        {
            var may = row[2] == "all above" ? rooms.Select(r => r.Name).ToHashSet(StringComparer.Ordinal) : Names(row[2]).Select(Full).ToHashSet(StringComparer.Ordinal);
            rooms.Add(new(Ticked(row[0]), row[0].StartsWith("later ", StringComparison.Ordinal), may));
        }
        return rooms;
    }

    private static string Full(string name) => name == "AiOptix" ? name : "AiOptix." + name;

    private static string Ticked(string cell)
    {
        var parts = cell.Split('`');
        return parts.Length == 3 ? parts[1] : throw new FormatException($"expected one name in backquotes in the first column, found: {cell}");
    }

    private static IReadOnlySet<string> Names(string cell) => cell == "–"
        ? new HashSet<string>(StringComparer.Ordinal)
        : cell.Split(',').Select(n => n.Split('(')[0].Trim()).ToHashSet(StringComparer.Ordinal);

    private static List<string[]> Table(string header)
    {
        var lines = Repository.Read("docs/architecture.md").Split('\n').SkipWhile(l => l != Heading).SkipWhile(l => l != header).ToList();
        if (lines.Count == 0) throw new FormatException($"docs/architecture.md has no table '{header}' below '{Heading}'");
        return [.. lines.Skip(2).TakeWhile(l => l.StartsWith('|')).Select(l => l.Trim('|').Split('|').Select(c => c.Trim()).ToArray())];
    }
}
