using System.Globalization;

namespace AiOptix.Cli;

/// <summary>Numbers as people read them.</summary>
internal static class Units
{
    private static readonly string[] binary = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    private static readonly string[] decimals = ["", "k", "M", "G", "T", "P", "E"];

    /// <summary><c>1.5 MiB</c></summary>
    public static string Bytes(long bytes) => Scaled(bytes, 1024, binary);

    /// <summary><c>12.3 M</c></summary>
    public static string Count(double count) => Scaled(count, 1000, decimals);

    /// <summary><c>1.23 ms</c></summary>
    public static string Time(TimeSpan time)
    {
        var seconds = time.TotalSeconds;
        var (value, unit) = seconds >= 1 ? (seconds, "s") : seconds >= 1e-3 ? (seconds * 1e3, "ms") : (seconds * 1e6, "us");
        return $"{Three(value)} {unit}";
    }

    /// <summary>A number with three significant digits.</summary>
    public static string Three(double value)
    {
        var size = Math.Abs(value);
        var format = size >= 99.95 || value == 0 ? "0" : size >= 9.995 ? "0.0" : size >= 0.0995 ? "0.00" : "0.##e+0";
        return value.ToString(format, CultureInfo.InvariantCulture);
    }

    private static string Scaled(double value, double step, string[] units)
    {
        var unit = 0;
        for (; Math.Abs(value) >= step && unit < units.Length - 1; unit++) value /= step;
        return $"{(unit == 0 && value == Math.Floor(value) ? value.ToString("0", CultureInfo.InvariantCulture) : Three(value))} {units[unit]}".TrimEnd();
    }
}
