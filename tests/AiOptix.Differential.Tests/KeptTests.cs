using AiOptix.Verification;

namespace AiOptix.Differential.Tests;

/// <summary>Every graph that a sweep found to differ gives the answers that were found right, at every level.</summary>
public class KeptTests
{
    public static TheoryData<string> Names => [.. Directory.GetDirectories(Kept.Folder).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Names))]
    public void AGraphThatOnceDifferedGivesTheRightAnswers(string name)
    {
        var found = Assert.Single(ModelCases.Find(Path.Combine(Kept.Folder, name)));
        foreach (var level in Enum.GetValues<VerificationLevel>())
        {
            var result = CaseVerifier.Verify(found, level, new VerificationOptions { Threads = 1 });
            Assert.True(result.Passed, $"{name}, {level}: {result.Failure}");
        }
    }
}
