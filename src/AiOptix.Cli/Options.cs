using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using AiOptix.Tuning;

namespace AiOptix.Cli;

/// <summary>Options and arguments that several commands share, so that they are spelled and read the same everywhere.</summary>
internal static class Options
{
    /// <summary><c>--json</c></summary>
    public static Option<bool> Json() => new("--json") { Description = "Print one JSON document and nothing else." };

    /// <summary><c>--threads N</c>; 0 is the machine's default.</summary>
    public static Option<int> Threads()
    {
        var option = new Option<int>("--threads") { Description = "Threads of a run, the calling one included; 0 takes what quota and affinity grant.", HelpName = "N" };
        option.Validators.Add(r => Check(r, option, n => n is >= 0 and <= 1024, "expected 0 to 1024"));
        return option;
    }

    /// <summary><c>--seed N</c></summary>
    public static Option<int> Seed() => new("--seed") { Description = "Seed of everything that is drawn.", HelpName = "N" };

    /// <summary><c>--data PATH</c></summary>
    public static Option<string?> Data() => new("--data")
    {
        Description = "Sample inputs: a folder of NAME.npy files, of folders of such, or of test_data_set_N folders with input_N.pb; or an .npz, .safetensors or .npy file whose first axis runs over samples.", HelpName = "PATH",
    };

    /// <summary><c>--data PATH</c>: a folder of samples, or many in a file.</summary>
    public static Option<string?> Samples() => new("--data")
    {
        Description = "Sample inputs: an NPZ archive with an array for each input, or an NPY file, cut along the first axis; or a folder as other commands take it.", HelpName = "PATH",
    };

    /// <summary><c>--tuned</c>; <see cref="Tuning"/> reads them.</summary>
    public static Option<bool> Tuned() => new("--tuned") { Description = "Run the kernels that optix tune found to be fastest here." };

    /// <summary><c>--tuning FILE</c></summary>
    public static Option<string?> TuningFile() => new("--tuning") { Description = "The file of tuned kernels, in place of the one in the user's cache folder.", HelpName = "FILE" };

    /// <summary>How long to time a kernel.</summary>
    public static Option<double> TuningSeconds() => new("--kernel-seconds") { Description = "How long to time each kernel, the cost model's pick beside it included.", HelpName = "S", DefaultValueFactory = _ => 0.2 };

    /// <summary>The value of <see cref="TuningSeconds"/>.</summary>
    public static TimeSpan Seconds(ParseResult parsed, Option<double> option) =>
        parsed.GetValue(option) is var s and >= 0 and <= 3600 ? TimeSpan.FromSeconds(s) : throw new UsageException($"{option.Name}: expected 0 to 3600");

    /// <summary>The tuned kernels, if they are asked for; says what is left out of their file.</summary>
    public static KernelTuning? Tuning(ParseResult parsed, Option<bool> tuned, Option<string?> file, Terminal terminal)
    {
        if (!parsed.GetValue(tuned) && parsed.GetValue(file) is null) return null;
        return Load(parsed.GetValue(file), terminal);
    }

    /// <summary>The tuned kernels of a file that tuning adds to, none where it is not there yet; says what is left out of it.</summary>
    public static KernelTuning Known(string path, Terminal terminal) => File.Exists(path) ? Load(path, terminal) : KernelTuning.Empty;

    private static KernelTuning Load(string? path, Terminal terminal)
    {
        var tuning = KernelTuning.Load(path);
        foreach (var notice in tuning.Notices) terminal.Error.WriteLine($"optix: {notice}");
        return tuning;
    }

    /// <summary><c>--dump-kernels DIR</c>; <see cref="DumpKernels(Terminal, string?)"/> does it.</summary>
    public static Option<string?> DumpKernels() => new("--dump-kernels") { Description = "Write each generated kernel to NAME.bin and its disassembly to NAME.asm in this folder.", HelpName = "DIR" };

    /// <summary>Writes the generated kernels if a folder is given.</summary>
    public static void DumpKernels(Terminal terminal, string? folder)
    {
        if (folder is null) return;
        var names = GeneratedKernels.Write(folder);
        var why = MachineReport.Create().GeneratedCodeObstacle is { } obstacle ? $": {obstacle}" : "";
        terminal.Error.WriteLine($"wrote {names.Count.ToString(CultureInfo.InvariantCulture)} generated kernels to {folder}{why}");
    }

    /// <summary>The model's file.</summary>
    public static Argument<string> Model() => new("MODEL") { Description = "An ONNX file, or the folder of a saved program (optix compile)." };

    /// <summary><c>--dim NAME=VALUE</c>, repeatable.</summary>
    public static Option<KeyValuePair<string, long>[]> Dims() => Pairs<long>("--dim", "NAME=VALUE", "Give a symbolic dimension a value; repeatable.",
        text => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null, "a whole number");

    /// <summary><c>--input NAME=FILE</c>, repeatable.</summary>
    public static Option<KeyValuePair<string, string>[]> Inputs() => Pairs<string>("--input", "NAME=FILE.npy", "Read an input from an NPY file; repeatable.", text => text, "a file");

    /// <summary>An option that takes one of a few words.</summary>
    public static Option<T> Choice<T>(string name, string standard, string description, params (string Word, T Value)[] choices)
    {
        var words = string.Join("|", choices.Select(c => c.Word));
        return new(name)
        {
            Description = $"{description} [default: {standard}]",
            HelpName = words,
            DefaultValueFactory = _ => choices.First(c => c.Word == standard).Value,
            CustomParser = result =>
            {
                foreach (var (word, value) in choices)
                    if (result.Tokens[0].Value == word) return value;
                result.AddError($"{name} {result.Tokens[0].Value}: expected {words}");
                return default;
            },
        };
    }

    /// <summary>An option that takes a tolerance.</summary>
    public static Option<double> Tolerance(string name, double standard, string description)
    {
        var option = new Option<double>(name) { Description = description, HelpName = "X", DefaultValueFactory = _ => standard };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && double.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, out var value) && !(value >= 0))
                result.AddError($"{name} {result.Tokens[0].Value}: expected 0 or more");
        });
        return option;
    }

    private static Option<KeyValuePair<string, T>[]> Pairs<T>(string name, string form, string description, Func<string, object?> read, string expected) => new(name)
    {
        Description = description,
        HelpName = form,
        Arity = ArgumentArity.OneOrMore,
        DefaultValueFactory = _ => [],
        CustomParser = result =>
        {
            var pairs = new Dictionary<string, T>(StringComparer.Ordinal);
            foreach (var token in result.Tokens)
            {
                var cut = token.Value.LastIndexOf('=');
                if (typeof(T) == typeof(string)) cut = token.Value.IndexOf('=', StringComparison.Ordinal);
                if (cut <= 0 || cut == token.Value.Length - 1 || read(token.Value[(cut + 1)..]) is not T value)
                    result.AddError($"{name} {token.Value}: expected {form} with {expected} behind the '='");
                else if (!pairs.TryAdd(token.Value[..cut], value))
                    result.AddError($"{name} names '{token.Value[..cut]}' twice");
            }
            return [.. pairs];
        },
    };

    private static void Check(OptionResult result, Option<int> option, Func<int, bool> allowed, string expected)
    {
        if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n) && !allowed(n))
            result.AddError($"{option.Name} {n}: {expected}");
    }
}
