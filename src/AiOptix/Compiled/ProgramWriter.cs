using System.Text;
using AiOptix.Cpu;
using AiOptix.Graphs;
using AiOptix.Onnx;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Compiled;

/// <summary>Saves a program.</summary>
/// <param name="graph">A graph that needs no pass any more.</param>
/// <param name="program">Its program, whose weights are packed.</param>
/// <param name="target">The machine that it was compiled for.</param>
/// <param name="choices">The tuned kernels that it was compiled with.</param>
/// <param name="rewrite">Whether passes rewrote the graph.</param>
/// <param name="isSettled">Whether sessions compile the graph again when extents are known.</param>
/// <param name="files">The files of the model, its main one first.</param>
/// <param name="options">How the graph is read again.</param>
internal sealed class ProgramWriter(Graph graph, Program program, Target target, ChoiceRecord choices, bool rewrite, bool isSettled, IReadOnlyList<FileStamp> files, LoadOptions options)
{
    /// <summary>Writes the folder. It, or the file in it when the folder is there, appears when it is complete.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnsupportedModelException">The model has no form in a file that compiles to the same program.</exception>
    public void Write(string folder)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        if (Directory.Exists(full))
        {
            WriteFile(Path.Combine(full, ProgramFile.Name));
            return;
        }
        var pending = $"{full}.{Guid.NewGuid():N}.tmp";
        Directory.CreateDirectory(pending);
        try
        {
            WriteFile(Path.Combine(pending, ProgramFile.Name));
            Directory.Move(pending, full);
        }
        finally
        {
            if (Directory.Exists(pending)) Directory.Delete(pending, recursive: true);
        }
    }

    private void WriteFile(string path)
    {
        var temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            var absent = Graphs(graph).SelectMany(g => g.Constants).Select(c => c.Constant!).Intersect(program.Packed.SelectMany(p => p.Sources)).ToHashSet();
            // Graphs that are compiled again when extents are known need every element.
            if (isSettled) absent.Clear();
            // A rule may look at the elements of a constant that it also has packed; the trial names it, and it is kept in both forms.
            for (string? missing = null; (missing = TryWrite(temporary, absent)) is not null;)
                if (absent.RemoveWhere(t => Graphs(graph).SelectMany(g => g.Constants).Any(c => c.Constant == t && c.Name == missing)) == 0)
                    throw new UnsupportedModelException($"model '{graph.Name}' cannot be saved compiled: its constant '{missing}' is there in packed form only");
            File.Move(temporary, path, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <summary>Writes the file and opens it on trial.</summary>
    /// <returns>A constant whose elements are needed and were not written, or null when the file is good.</returns>
    private string? TryWrite(string path, IReadOnlySet<Tensor> absent)
    {
        using (var file = new FileStream(path, FileMode.Create, FileAccess.ReadWrite, FileShare.Read)) WriteTo(file, absent);
        var block = MemoryBlock.MapFile(path);
        try
        {
            var saved = ProgramFile.Read(block);
            var again = new CpuBackend(target, choices).Compile(saved.Graph(options), options.Limits, new WeightSource { Saved = saved.Packed() });
            if (again.AllSteps.Select(Words).SequenceEqual(program.AllSteps.Select(Words))) return null;
            throw new UnsupportedModelException($"model '{graph.Name}' cannot be saved compiled: the form that its operators take in a file compiles to other steps");
        }
        catch (AbsentElementsException e)
        {
            return e.Name;
        }
        finally
        {
            block.LetGo();
        }
    }

    private static string Words(Step step) => $"{step.GetType().Name} {step.Operation} {step.Inputs.Count} {step.Outputs.Count}";

    private void WriteTo(FileStream file, IReadOnlySet<Tensor> absent)
    {
        file.Position = ProgramFile.HeadBytes;
        OnnxFile.Write(graph, file, new OnnxWriteOptions { Absent = absent, Dialect = OnnxDialect.Newest });
        var graphEnd = file.Position;
        PackedBlock[] blocks = [.. program.Packed.Distinct()];
        var places = new List<SavedBlock>();
        foreach (var b in blocks)
        {
            file.Position = (file.Position + ProgramFile.Alignment - 1) / ProgramFile.Alignment * ProgramFile.Alignment;
            places.Add(new(file.Position, b.Memory.Length, b.Form));
            for (long at = 0; at < b.Memory.Length; at += Chunks.Bytes) file.Write(b.Memory.Slice(at, (int)Math.Min(Chunks.Bytes, b.Memory.Length - at)));
        }
        var end = file.Position;
        file.Flush();
        var manifest = Encoding.UTF8.GetBytes(new Manifest
        {
            Build = ProgramFile.ThisBuild,
            Target = target,
            Rewrite = rewrite,
            Tuning = choices.Digest,
            Tuned = choices.Used,
            Files = [.. files.Select(SourceFile.Of)],
            Graph = (ProgramFile.HeadBytes, graphEnd - ProgramFile.HeadBytes),
            Blocks = places,
            Asked = [.. program.Packed.Select(p => Array.IndexOf(blocks, p))],
            Sums = SumsOf(file.Name, end),
        }.Write());
        file.Write(manifest);
        file.Position = 0;
        file.Write(ProgramFile.Head(end, manifest, files.Count > 0 ? files[0].Path : null));
        file.Flush(flushToDisk: true);
    }

    private static ulong[] SumsOf(string path, long end)
    {
        var block = MemoryBlock.MapFile(path);
        try
        {
            return Chunks.Sums(block, ProgramFile.HeadBytes, end - ProgramFile.HeadBytes);
        }
        finally
        {
            block.LetGo();
        }
    }

    private static IEnumerable<Graph> Graphs(Graph graph) => graph.Nodes.SelectMany(n => n.Operator.Subgraphs).SelectMany(Graphs).Prepend(graph);
}
