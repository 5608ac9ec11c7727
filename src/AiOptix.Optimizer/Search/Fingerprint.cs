using System.Globalization;
using System.Text;
using AiOptix.Graphs;
using AiOptix.Tensors;

namespace AiOptix.Optimization;

/// <summary>Checksums of models and samples: what a state file or recipe belongs to.</summary>
internal static class Fingerprint
{
    /// <summary>The checksum of a graph: its text and the bytes of its constants.</summary>
    public static string Of(Graph graph) => Text(Checksum.Of([Checksum.Of(Encoding.UTF8.GetBytes(Printer.Print(graph))), .. Constants(graph).Select(Of)]));

    /// <summary>The checksum of a search: the model, every sample and label, and what was asked for.</summary>
    public static string Of(string graph, IReadOnlyList<Tensor[]> samples, IReadOnlyList<Tensor>? labels, ErrorBudget budget, int threads)
    {
        var asked = string.Create(CultureInfo.InvariantCulture, $"{graph} {budget.MaxAccuracyDrop} {budget.MaxError} {budget.Scored.Name} {budget.Objective} {budget.Confidence} {budget.Coverage} {budget.AllowLittleData} {budget.Seed} {threads} {typeof(Fingerprint).Assembly.ManifestModule.ModuleVersionId}");
        return Text(Checksum.Of([Checksum.Of(Encoding.UTF8.GetBytes(asked)), .. samples.SelectMany(s => s).Select(Of), .. (labels ?? []).Select(Of)]));
    }

    private static IEnumerable<Tensor> Constants(Graph graph) => graph.Constants.Select(c => c.Constant!).Concat(graph.Nodes.SelectMany(n => n.Operator.Subgraphs).SelectMany(Constants));

    private static ulong Of(Tensor tensor)
    {
        if (tensor.DType == DType.String) return Checksum.Of(Encoding.UTF8.GetBytes(string.Join('\0', tensor.Strings)));
        const int Piece = 1 << 30;
        var parts = new List<ulong>();
        for (long at = 0; at < tensor.ByteLength; at += Piece) parts.Add(Checksum.Of(tensor.BytesAt(at, (int)Math.Min(Piece, tensor.ByteLength - at))));
        GC.KeepAlive(tensor);
        return Checksum.Of([(ulong)tensor.DType, .. tensor.Shape.Select(d => (ulong)d), .. parts]);
    }

    private static string Text(ulong checksum) => checksum.ToString("x16", CultureInfo.InvariantCulture);
}
