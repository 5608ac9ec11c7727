using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using AiOptix.Optimization;

namespace AiOptix.Cli.Commands;

/// <summary>The options of <c>optix optimize</c> that say how much an answer may lose, and how that is searched and shown.</summary>
internal sealed class BudgetOptions
{
    private readonly Option<double?> drop = Share("--max-accuracy-drop", "Allow quantised forms that lose at most so much of the mean score (0.5% or 0.005), shown on held-back samples.", below: 1);
    private readonly Option<double?> error = Share("--max-error", "Allow quantised forms whose error against the baseline is at most so much for every held-back sample (1e-2 or 1%).", below: double.MaxValue);
    private readonly Option<string?> metric = new("--metric") { Description = "What is scored: top1; max, mse or cosine (errors); or command:CMD, a program that prints a score a sample.", HelpName = "top1|max|mse|cosine|command:CMD" };
    private readonly Option<string?> labels = new("--labels") { Description = "The labels of the samples, one each or one a row.", HelpName = "FILE.npy" };
    private readonly Option<Objective> objective = Options.Choice("--objective", "latency", "What is made least of.", ("latency", Objective.Latency), ("throughput", Objective.Throughput), ("size", Objective.Size));
    private readonly Option<TimeSpan> time = Duration("--time", "10m", "When the search ends and takes the best that it has.");
    private readonly Option<bool> littleData = new("--allow-little-data") { Description = "Let a claim rest on fewer samples than it needs; the report says so." };
    private readonly Option<string?> report = new("--report") { Description = "Write the report as a self-contained page.", HelpName = "FILE.html" };
    private readonly Option<string?> recipe = new("--recipe") { Description = "Write what was decided, to be replayed.", HelpName = "FILE.json" };
    private readonly Option<string?> replay = new("--replay") { Description = "Apply, prove and measure a recipe instead of searching.", HelpName = "FILE.json" };

    /// <summary>Adds the options to a command.</summary>
    public BudgetOptions(Command command)
    {
        foreach (var option in (ReadOnlySpan<Option>)[drop, error, metric, labels, objective, time, littleData, report, recipe, replay]) command.Options.Add(option);
    }

    /// <summary>The file of the labels, or null.</summary>
    public string? Labels(ParseResult parsed) => parsed.GetValue(labels);

    /// <summary>The file of the page, or null.</summary>
    public string? Report(ParseResult parsed) => parsed.GetValue(report);

    /// <summary>The file that the recipe is written to, or null.</summary>
    public string? RecipeTarget(ParseResult parsed) => parsed.GetValue(recipe);

    /// <summary>The recipe to replay, or null.</summary>
    public Recipe? Replayed(ParseResult parsed) => parsed.GetValue(replay) is { } file ? Recipe.Parse(File.ReadAllText(file), file) : null;

    /// <summary>The budget; null when none is asked for.</summary>
    /// <exception cref="UsageException">The options contradict each other.</exception>
    public ErrorBudget? Of(ParseResult parsed, int seed)
    {
        var (most, worst) = (parsed.GetValue(drop), parsed.GetValue(error));
        if (most is null && worst is null)
        {
            foreach (var option in (ReadOnlySpan<Option>)[metric, labels, objective, time, littleData, recipe, replay])
                if (parsed.GetResult(option) is { Implicit: false }) throw new UsageException($"{option.Name} belongs to a budget; give --max-accuracy-drop or --max-error");
            return null;
        }
        var budget = new ErrorBudget
        {
            MaxAccuracyDrop = most,
            MaxError = worst,
            Metric = Scored(parsed.GetValue(metric)),
            Objective = parsed.GetValue(objective),
            Time = parsed.GetValue(time),
            AllowLittleData = parsed.GetValue(littleData),
            Seed = seed,
        };
        try
        {
            budget.Check();
        }
        catch (ArgumentException e)
        {
            (budget.Metric as IDisposable)?.Dispose();
            throw new UsageException(e.Message);
        }
        return budget;
    }

    private static Metric? Scored(string? word) => word switch
    {
        null => null,
        "top1" => Metric.Top1,
        "max" => Metric.LargestError,
        "mse" => Metric.SquaredError,
        "cosine" => Metric.Cosine,
        _ when word.StartsWith("command:", StringComparison.Ordinal) && word.Length > 8 => new CommandMetric(word[8..]),
        _ => throw new UsageException($"--metric {word}: expected top1, max, mse, cosine or command:CMD"),
    };

    private static Option<double?> Share(string name, string description, double below) => new(name)
    {
        Description = description,
        HelpName = "X",
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            var percent = text.EndsWith('%');
            if (double.TryParse(percent ? text[..^1] : text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && (value = percent ? value / 100 : value) > 0 && value < below) return value;
            result.AddError($"{name} {text}: expected a number above 0{(below <= 1 ? " and below 1" : "")}, or a percentage");
            return null;
        },
    };

    private static Option<TimeSpan> Duration(string name, string standard, string description) => new(name)
    {
        Description = $"{description} [default: {standard}]",
        HelpName = "90s|10m|2h",
        DefaultValueFactory = _ => Read(standard)!.Value,
        CustomParser = result =>
        {
            if (Read(result.Tokens[0].Value) is { } time) return time;
            result.AddError($"{name} {result.Tokens[0].Value}: expected a time such as 90s, 10m or 2h");
            return default;
        },
    };

    private static TimeSpan? Read(string text)
    {
        var unit = text.Length > 0 ? text[^1] switch { 's' => 1, 'm' => 60, 'h' => 3600, _ => 0 } : 0;
        return unit > 0 && double.TryParse(text[..^1], NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value > 0 && value * unit < 1e7 ? TimeSpan.FromSeconds(value * unit) : null;
    }
}
