using System.Runtime.InteropServices;
using AiOptix.Tensors;

namespace AiOptix.Bench.Ort;

/// <summary>Where ONNX Runtime lies: in the npm package <c>onnxruntime-node</c>, at the version that <c>bench/package-lock.json</c> pins.</summary>
internal static class OrtLibrary
{
    /// <summary>Whether the library is there.</summary>
    internal static bool IsInstalled => File.Exists(Expected);

    private static string Expected
    {
        get
        {
            var processor = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "x64";
            return Path.Combine(Repository.Root, "bench", "node_modules", "onnxruntime-node", "bin", "napi-v6", "linux", processor, "libonnxruntime.so.1");
        }
    }

    /// <summary>The path of the shared library.</summary>
    /// <exception cref="AiOptixException">It is not installed.</exception>
    internal static string Locate() => IsInstalled ? Expected : throw new AiOptixException($"ONNX Runtime is not installed (no {Expected}); run ./bench.sh, which installs it");
}
