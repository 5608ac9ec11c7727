using System.CommandLine;
using AiOptix.Tensors;
using AiOptix.Zoo;

namespace AiOptix.Cli.Commands;

/// <summary><c>optix zoo</c>: lists well-known architectures, or writes one with seeded weights.</summary>
internal static class ZooCommand
{
    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal)
    {
        var name = new Argument<string?>("NAME") { Description = "The architecture; without it they are listed.", Arity = ArgumentArity.ZeroOrOne };
        var target = new Option<string?>("--output", "-o") { Description = "The ONNX file to write.", HelpName = "FILE" };
        var seed = Options.Seed();
        var layers = new Option<int?>("--layers") { Description = "How many layers a transformer has, where not as published." };
        var width = new Option<int?>("--width") { Description = "How wide a transformer is, where not as published: a multiple of 64, of 192 for llama." };
        var image = new Option<int?>("--image-size") { Description = "The side of the image that a vision model takes, where not as published." };
        var command = new Command("zoo", "List well-known architectures, or write one with seeded weights: something large to measure.") { name, target, seed, layers, width, image };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(name) is not { } wanted)
            {
                terminal.Table(["name", "description"], ModelZoo.Entries.Select(e => (IReadOnlyList<string>)[e.Name, e.Description]));
                return ExitCode.Done;
            }
            if (parsed.GetValue(target) is not { } path) throw new UsageException("zoo NAME needs -o FILE to write to");
            if (ModelZoo.Entries.All(e => e.Name != wanted))
                throw new InvalidInputException($"the zoo has no '{wanted}'; it has {string.Join(", ", ModelZoo.Entries.Select(e => e.Name))}");
            var options = new ZooOptions
            {
                Seed = parsed.GetValue(seed),
                Layers = Positive(parsed.GetValue(layers), "--layers"),
                Width = Positive(parsed.GetValue(width), "--width"),
                ImageSize = Positive(parsed.GetValue(image), "--image-size"),
            };
            Model.Of(ModelZoo.Find(wanted).Build(options)).Save(path);
            terminal.Error.WriteLine($"wrote {path}: {Units.Bytes(new FileInfo(path).Length)}");
            return ExitCode.Done;
        });
        return command;
    }

    private static int? Positive(int? value, string option) => value is < 1 ? throw new UsageException($"{option} {value} must be at least 1") : value;
}
