using System.Runtime.InteropServices;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Jit;

/// <summary>Whether this process may make machine code at run time. Where it may not, kernel tables choose rows that need none.</summary>
public static class GeneratedCode
{
    /// <summary>The environment variable that forbids generated code when it is 0.</summary>
    public const string Variable = "AIOPTIX_JIT";

    /// <summary>What stands against generated code; null when nothing does. Found out once.</summary>
    public static string? Obstacle { get; } = Find();

    /// <summary>The kernels that the process made and holds, by name.</summary>
    public static IReadOnlyList<KernelListing> Kernels() => [.. CodeCache.Shared.Kernels().Select(k => new KernelListing(k.Name, k.Code()))];

    private static unsafe string? Find()
    {
        if (Environment.GetEnvironmentVariable(Variable) == "0") return $"{Variable}=0 forbids it";
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64) return $"it is made for x64, this process is {RuntimeInformation.ProcessArchitecture}";
        try
        {
            // mov eax, 42; ret
            using var code = new CodeMemory([0xb8, 0x2a, 0, 0, 0, 0xc3]);
            return ((delegate* unmanaged<int>)code.Address)() == 42 ? null : "code that was made for a trial gave a wrong answer";
        }
        catch (LimitExceededException e)
        {
            return e.Message;
        }
    }
}
