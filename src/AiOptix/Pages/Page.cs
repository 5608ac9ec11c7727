using System.Net;
using System.Text.Json.Nodes;

namespace AiOptix.Pages;

/// <summary>
/// Self-contained HTML pages: the frame that all share, the script and markup of one kind (<c>KIND.html</c>, <c>KIND.js</c> beside this file), its data as JSON, and the
/// chart library (plotly.js) inlined. A page asks the network for nothing.
/// </summary>
internal static class Page
{
    /// <summary>Renders a page.</summary>
    /// <param name="title">Its title.</param>
    /// <param name="kind">Which markup and script.</param>
    /// <param name="data">What the script shows.</param>
    public static string Render(string title, string kind, JsonObject data)
    {
        // The encoder escapes '<', so no text in the data can end its element.
        var parts = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["title"] = WebUtility.HtmlEncode(title),
            ["style"] = Resource("page.css"),
            ["body"] = Resource(kind + ".html"),
            ["data"] = data.ToJsonString(),
            ["charts"] = Resource("plotly.js"),
            ["shared"] = Resource("page.js"),
            ["script"] = Resource(kind + ".js"),
        };
        var frame = Resource("page.html").Split("{{");
        return string.Concat(frame.Select((piece, i) =>
        {
            if (i == 0) return piece;
            var end = piece.IndexOf("}}", StringComparison.Ordinal);
            return parts[piece[..end]] + piece[(end + 2)..];
        }));
    }

    private static string Resource(string name)
    {
        using var stream = typeof(Page).Assembly.GetManifestResourceStream("Pages/" + name) ?? throw new InvalidOperationException($"the resource Pages/{name} is missing");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
