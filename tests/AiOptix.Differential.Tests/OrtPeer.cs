using AiOptix.Bench.Ort;
using AiOptix.Tensors;

namespace AiOptix.Differential.Tests;

/// <summary>The answers of ONNX Runtime.</summary>
internal static class OrtPeer
{
    public static bool IsInstalled => OrtLibrary.IsInstalled;

    /// <summary>The outputs in order, null for one that is no tensor; null when ONNX Runtime does not take the model or fails, and why.</summary>
    public static IReadOnlyList<Tensor?>? Run(Generated g, out string refusal)
    {
        refusal = "";
        if (g.Inputs.Values.Any(v => v is not Tensor))
        {
            refusal = "an input is no tensor";
            return null;
        }
        try
        {
            using var session = new OrtSession(g.File, 1);
            using var prepared = session.Prepare(g.Inputs.ToDictionary(i => i.Key, i => (Tensor)i.Value));
            prepared.Run();
            var made = prepared.Read(tensorsOnly: true);
            return [.. session.Outputs.Select(o => made.GetValueOrDefault(o.Name))];
        }
        catch (AiOptixException e)
        {
            refusal = e.Message;
            return null;
        }
    }
}
