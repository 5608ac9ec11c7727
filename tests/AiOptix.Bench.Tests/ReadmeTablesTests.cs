using AiOptix.Bench.Compare;

namespace AiOptix.Bench.Tests;

/// <summary>The README's comparisons are what the newest results say (<c>./bench.sh readme</c> writes them).</summary>
public class ReadmeTablesTests
{
    [Fact]
    public void TheReadmeShowsTheNewestResults() =>
        Assert.Equal(ReadmeTables.Tables(Path.Combine(Repository.Root, "bench", "results")), ReadmeTables.Current(File.ReadAllText(Path.Combine(Repository.Root, "README.md"))));
}
