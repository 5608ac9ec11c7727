using System.Reflection;
using AiOptix.Bench.Ort;

namespace AiOptix.Bench.Compare;

/// <summary>The versions that a timing holds for.</summary>
internal static class Versions
{
    /// <summary>AI Optix, with the commit when the build knows it.</summary>
    internal static string Optix { get; } = typeof(Model).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    internal static string Ort => OrtSession.Version;

    internal static string DotNet { get; } = Environment.Version.ToString();
}
