using System.IO.Enumeration;

namespace AiOptix.Data;

/// <summary>Files by path, folder or pattern.</summary>
internal static class DataFiles
{
    private static readonly char[] wild = ['*', '?'];

    /// <summary>The files that the patterns stand for, those of each pattern in the order of their names.</summary>
    /// <param name="patterns">Files, folders (all files in them that have one of the endings), or patterns: <c>*</c> and <c>?</c> within a name, <c>**</c> for folders at any depth.</param>
    /// <param name="endings">Endings of the files that are taken from folders, with the dot; none takes all.</param>
    /// <exception cref="FileNotFoundException">A pattern stands for nothing.</exception>
    public static IReadOnlyList<string> Find(IEnumerable<string> patterns, params ReadOnlySpan<string> endings)
    {
        var found = new List<string>();
        foreach (var pattern in patterns)
        {
            var before = found.Count;
            if (File.Exists(pattern)) found.Add(pattern);
            else if (Directory.Exists(pattern))
            {
                var all = endings.ToArray();
                found.AddRange(Directory.EnumerateFiles(pattern).Where(f => all.Length == 0 || Array.Exists(all, e => f.EndsWith(e, StringComparison.OrdinalIgnoreCase))));
                if (found.Count == before) throw new FileNotFoundException($"the folder '{pattern}' has no file that ends in {string.Join(" or ", all)}", pattern);
            }
            else if (pattern.IndexOfAny(wild) >= 0) Match(pattern, found);
            if (found.Count == before) throw new FileNotFoundException($"there is no file '{pattern}'", pattern);
            found.Sort(before, found.Count - before, StringComparer.Ordinal);
        }
        return found.Count > 0 ? found : throw new ArgumentException("no file is named");
    }

    /// <summary>Names and lengths, which tell one set of files from another wherever they lie.</summary>
    public static string Identity(IReadOnlyList<string> files) => string.Join('\n', files.Select(f => new FileInfo(f)).Select(f => $"{f.Name} {(f.Exists ? f.Length : -1)}"));

    private static void Match(string pattern, List<string> found)
    {
        var parts = pattern.Replace('\\', '/').Split('/');
        var first = Array.FindIndex(parts, p => p.IndexOfAny(wild) >= 0);
        var root = first == 0 ? "." : string.Join('/', parts[..first]);
        Match(root.Length == 0 ? "/" : root, parts.AsSpan(first), found, plain: first == 0);
    }

    private static void Match(string folder, ReadOnlySpan<string> parts, List<string> found, bool plain)
    {
        if (!Directory.Exists(folder)) return;
        var name = parts[0];
        if (parts.Length == 1)
        {
            foreach (var file in Directory.EnumerateFiles(folder))
                if (FileSystemName.MatchesSimpleExpression(name == "**" ? "*" : name, Path.GetFileName(file), ignoreCase: false)) found.Add(plain ? Path.GetFileName(file) : file);
            if (name != "**") return;
        }
        if (name == "**" && parts.Length > 1) Match(folder, parts[1..], found, plain);
        foreach (var sub in Directory.EnumerateDirectories(folder))
        {
            var at = plain ? Path.GetFileName(sub) : sub;
            if (name == "**") Match(at, parts, found, plain: false);
            else if (FileSystemName.MatchesSimpleExpression(name, Path.GetFileName(sub), ignoreCase: false)) Match(at, parts[1..], found, plain: false);
        }
    }
}
