using System.CommandLine;
using AiOptix.Data;
using AiOptix.Tensors;

namespace AiOptix.Cli;

/// <summary>The options that say what a model is run on, and the inputs they stand for.</summary>
internal sealed class ModelInputs
{
    private readonly Option<KeyValuePair<string, string>[]> files = Options.Inputs();
    private readonly Option<KeyValuePair<string, long>[]> dims = Options.Dims();
    private readonly Option<int> seed = Options.Seed();

    /// <summary>Adds the options to a command.</summary>
    public ModelInputs(Command command)
    {
        command.Options.Add(files);
        command.Options.Add(dims);
        command.Options.Add(seed);
    }

    /// <summary>Reads the files, draws the rest, and says on the error stream what was drawn or assumed.</summary>
    public SampleSet Read(ParseResult parsed, Model model, Terminal terminal)
    {
        var given = parsed.GetValue(files)!.ToDictionary(p => p.Key, p => NpyFile.Read(p.Value), StringComparer.Ordinal);
        return Draw(model, parsed.GetValue(seed), parsed.GetValue(dims)!, given, terminal);
    }

    /// <summary>The samples of a folder or file, or one that is drawn when there is none.</summary>
    public static IReadOnlyList<Tensor[]> Samples(Model model, string? folder, KeyValuePair<string, long>[] dims, int seed, Terminal terminal, int batch = 1)
    {
        if (folder is null) return [[.. Draw(model, seed, dims, new Dictionary<string, Tensor>(), terminal).Values]];
        if (dims.Length > 0) throw new UsageException("--data fixes all shapes; leave --dim out");
        return SampleFolder.Read(model, folder, batch);
    }

    /// <summary>Draws what is not given, and says on the error stream what was drawn or assumed.</summary>
    public static SampleSet Draw(Model model, int seed, IEnumerable<KeyValuePair<string, long>> dims, IReadOnlyDictionary<string, Tensor> given, Terminal terminal)
    {
        var set = SampleInputs.Draw(model, seed, new Dictionary<string, long>(dims, StringComparer.Ordinal), given);
        if (set.AssumedDims.Count > 0)
            terminal.Error.WriteLine($"dimensions taken as 1: {string.Join(", ", set.AssumedDims)} (--dim NAME=VALUE gives them)");
        if (set.Drawn.Count > 0)
            terminal.Error.WriteLine($"inputs drawn from seed {seed}: {string.Join(", ", set.Drawn)}");
        return set;
    }
}
