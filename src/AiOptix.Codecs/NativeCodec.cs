using System.Runtime.InteropServices;
using AiOptix.Tensors;

namespace AiOptix.Codecs;

/// <summary>A library of the system, loaded when it is first needed.</summary>
internal sealed class NativeCodec(string format, params string[] names)
{
    private readonly Lazy<nint> handle = new(() =>
    {
        foreach (var name in names)
            if (NativeLibrary.TryLoad(name, out var loaded)) return loaded;
        return 0;
    });

    /// <summary>Whether it is there.</summary>
    public bool IsInstalled => handle.Value != 0;

    /// <summary>The address of a function.</summary>
    /// <exception cref="UnsupportedModelException">The library, or a version of it that has the function, is not installed.</exception>
    public nint Function(string name) => handle.Value != 0 && NativeLibrary.TryGetExport(handle.Value, name, out var address) ? address
        : throw new UnsupportedModelException($"{format} images need the library {names[0]}; install it with the system's package manager");
}
