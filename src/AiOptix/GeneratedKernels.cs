using AiOptix.Kernels.Jit;

namespace AiOptix;

/// <summary>The machine code that this process made for its models.</summary>
public static class GeneratedKernels
{
    /// <summary>Writes every kernel that the process holds to <c>NAME.bin</c> (machine code) and <c>NAME.asm</c> (its instructions: offset, bytes, assembler).</summary>
    /// <param name="folder">Where to; made if it is not there.</param>
    /// <returns>The kernels' names.</returns>
    public static IReadOnlyList<string> Write(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        Directory.CreateDirectory(folder);
        var kernels = GeneratedCode.Kernels();
        foreach (var kernel in kernels)
        {
            File.WriteAllBytes(Path.Combine(folder, kernel.Name + ".bin"), kernel.Code);
            File.WriteAllText(Path.Combine(folder, kernel.Name + ".asm"), kernel.Disassemble());
        }
        return [.. kernels.Select(k => k.Name)];
    }
}
