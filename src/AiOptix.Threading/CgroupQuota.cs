using System.Globalization;

namespace AiOptix.Threading;

/// <summary>The CPU time that control groups grant, in cores. Pure: the files are inputs, so that every layout can be tested.</summary>
internal static class CgroupQuota
{
    /// <summary>
    /// The smallest quota from the process's own group up to the root of what is mounted, over cgroup v2 (<c>cpu.max</c>) and v1
    /// (<c>cpu.cfs_quota_us</c> / <c>cpu.cfs_period_us</c>); null when nothing limits. Groups above a container's mount cannot be seen.
    /// </summary>
    /// <param name="selfCgroup">The text of <c>/proc/self/cgroup</c>.</param>
    /// <param name="mountInfo">The text of <c>/proc/self/mountinfo</c>.</param>
    /// <param name="read">The text of a file by its path; null when it cannot be read.</param>
    internal static double? Find(string selfCgroup, string mountInfo, Func<string, string?> read)
    {
        double? least = null;
        foreach (var (unified, path) in Memberships(selfCgroup))
            foreach (var (mountUnified, root, mountPoint) in Mounts(mountInfo))
                if (unified == mountUnified)
                    for (var group = Relative(path, root); group is not null; group = Parent(group))
                    {
                        var directory = mountPoint.TrimEnd('/') + group;
                        var quota = unified ? ReadV2(read(directory + "/cpu.max")) : ReadV1(read(directory + "/cpu.cfs_quota_us"), read(directory + "/cpu.cfs_period_us"));
                        if (quota is { } q) least = Math.Min(least ?? q, q);
                    }
        return least;
    }

    private static IEnumerable<(bool Unified, string Path)> Memberships(string text)
    {
        foreach (var line in Lines(text))
        {
            var parts = line.Split(':', 3);
            if (parts.Length != 3) continue;
            if (parts[0] == "0" && parts[1].Length == 0) yield return (true, parts[2]);
            else if (parts[1].Split(',').Contains("cpu")) yield return (false, parts[2]);
        }
    }

    private static IEnumerable<(bool Unified, string Root, string MountPoint)> Mounts(string text)
    {
        foreach (var line in Lines(text))
        {
            var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var dash = Array.IndexOf(fields, "-", Math.Min(6, fields.Length));
            if (dash < 0 || dash + 1 >= fields.Length) continue;
            var kind = fields[dash + 1];
            if (kind == "cgroup2") yield return (true, Unescape(fields[3]), Unescape(fields[4]));
            else if (kind == "cgroup" && dash + 3 < fields.Length && fields[dash + 3].Split(',').Contains("cpu"))
                yield return (false, Unescape(fields[3]), Unescape(fields[4]));
        }
    }

    /// <summary>The group as a path below its mount: <c>""</c> is the mount itself, which also stands for groups outside of it.</summary>
    private static string Relative(string path, string root)
    {
        var below = root.TrimEnd('/');
        if (path.Split('/').Contains("..")) return "";
        if (path == below) return "";
        return path.StartsWith(below + "/", StringComparison.Ordinal) ? path[below.Length..].TrimEnd('/') : "";
    }

    private static string? Parent(string group) => group.Length == 0 ? null : group[..group.LastIndexOf('/')];

    private static double? ReadV2(string? text)
    {
        var fields = text?.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) ?? [];
        return fields.Length == 2 ? Ratio(fields[0], fields[1]) : null;
    }

    private static double? ReadV1(string? quota, string? period) => quota is null || period is null ? null : Ratio(quota, period);

    private static double? Ratio(string quota, string period) =>
        long.TryParse(quota, NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var q)
        && long.TryParse(period, NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var p)
        && q > 0 && p > 0 ? (double)q / p : null;

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary>mountinfo writes blanks and backslashes of paths as three octal digits.</summary>
    private static string Unescape(string field)
    {
        if (!field.Contains('\\', StringComparison.Ordinal)) return field;
        var result = new System.Text.StringBuilder();
        for (var i = 0; i < field.Length; i++)
        {
            if (field[i] == '\\' && i + 3 < field.Length && field.AsSpan(i + 1, 3).IndexOfAnyExceptInRange('0', '7') < 0)
            {
                result.Append((char)(((field[i + 1] - '0') << 6) | ((field[i + 2] - '0') << 3) | (field[i + 3] - '0')));
                i += 3;
            }
            else
            {
                result.Append(field[i]);
            }
        }
        return result.ToString();
    }
}
