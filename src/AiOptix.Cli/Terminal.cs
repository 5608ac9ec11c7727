using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace AiOptix.Cli;

/// <summary>Where a command writes: results to one writer, messages to the other. Colour and width follow a terminal; redirected output is plain.</summary>
internal sealed class Terminal
{
    private const int PlainWidth = 200;

    private readonly IAnsiConsole console;

    /// <summary>A terminal over two writers.</summary>
    /// <param name="output">For results.</param>
    /// <param name="error">For messages.</param>
    /// <param name="width">Columns of an interactive terminal; null writes plain text.</param>
    public Terminal(TextWriter output, TextWriter error, int? width = null)
    {
        Output = output;
        Error = error;
        console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = width is null ? AnsiSupport.No : AnsiSupport.Detect,
            ColorSystem = width is null ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(output),
        });
        console.Profile.Width = width ?? PlainWidth;
    }

    /// <summary>For results.</summary>
    public TextWriter Output { get; }

    /// <summary>For messages: errors, warnings, progress.</summary>
    public TextWriter Error { get; }

    /// <summary>The terminal that the process was started on.</summary>
    public static Terminal OfProcess()
    {
        Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        return new Terminal(Console.Out, Console.Error, Console.IsOutputRedirected ? null : Math.Clamp(Console.WindowWidth, 60, 160));
    }

    /// <summary>A line of text as it is.</summary>
    public void Line(string text = "") => Output.WriteLine(text);

    /// <summary>Says why a saved program was not used, if so.</summary>
    public void Notice(Model model)
    {
        if (model.Notice is { } notice) Error.WriteLine($"optix: {notice}");
    }

    /// <summary>A heading.</summary>
    public void Heading(string text)
    {
        console.Write(new Text(text, new Style(decoration: Decoration.Bold)));
        console.WriteLine();
    }

    /// <summary>Rows of a label and a value.</summary>
    public void Facts(params IEnumerable<(string Label, string Value)> facts)
    {
        var grid = new Grid().AddColumn(new GridColumn { NoWrap = true, Padding = new Padding(2, 0, 2, 0) }).AddColumn(new GridColumn { Padding = new Padding(0) });
        foreach (var (label, value) in facts) grid.AddRow(new Text(label), new Text(value));
        Write(grid);
    }

    /// <summary>A table without lines; columns whose title begins with <c>&gt;</c> stand to the right.</summary>
    public void Table(IReadOnlyList<string> titles, IEnumerable<IReadOnlyList<string>> rows)
    {
        var grid = new Grid();
        foreach (var title in titles)
            grid.AddColumn(new GridColumn { Alignment = title.StartsWith('>') ? Justify.Right : Justify.Left, NoWrap = title.StartsWith('>'), Padding = new Padding(2, 0, 0, 0) });
        if (titles.Any(t => t.TrimStart('>').Length > 0)) grid.AddRow([.. titles.Select(t => new Text(t.TrimStart('>'), new Style(decoration: Decoration.Dim)))]);
        foreach (var row in rows) grid.AddRow([.. row.Select(c => new Text(c))]);
        Write(grid);
    }

    /// <summary>One JSON document, the only thing on the output.</summary>
    public void Json(JsonNode node) => Output.WriteLine(Format(node));

    /// <summary>Writes a file: to a temporary one first, so that no half file is left; and says so on the error stream.</summary>
    public void Write(string file, string text)
    {
        var temporary = $"{file}.{Environment.ProcessId.ToString(CultureInfo.InvariantCulture)}.tmp";
        try
        {
            File.WriteAllText(temporary, text);
            File.Move(temporary, file, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
        Error.WriteLine($"written: {file}");
    }

    /// <summary>A JSON document as indented text.</summary>
    public static string Format(JsonNode node)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping })) node.WriteTo(writer);
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    // Spectre fills rows with blanks up to the width of a column; nobody wants them in a file.
    private void Write(Spectre.Console.Rendering.IRenderable renderable)
    {
        if (console.Profile.Capabilities.Ansi)
        {
            console.Write(renderable);
            return;
        }
        using var text = new StringWriter();
        var plain = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors, Interactive = InteractionSupport.No, Out = new AnsiConsoleOutput(text),
        });
        plain.Profile.Width = console.Profile.Width;
        plain.Write(renderable);
        foreach (var line in text.ToString().TrimEnd().Split('\n')) Output.WriteLine(line.TrimEnd());
    }
}
