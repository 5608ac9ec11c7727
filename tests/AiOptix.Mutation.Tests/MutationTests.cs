using Xunit.Abstractions;

namespace AiOptix.Mutation.Tests;

/// <summary>Damaged models, drawn from a series of numbers: each must end in an answer or a typed error. Many more belong to <c>sweep.sh</c>.</summary>
public class MutationTests(ITestOutputHelper output)
{
    private const int Series = 1;
    private const int Mutants = 3000;
    private const double LeastRan = 0.25;

    [SkippableFact]
    public void Damaged_models_end_in_an_answer_or_a_typed_error()
    {
        Skip.If(Seeds.Shared() is null, "../shared is not there");
        var histogram = Supervisor.Run(Series, Mutants, Math.Clamp(Environment.ProcessorCount, 1, 8));
        output.WriteLine(histogram.ToString());
        Assert.Empty(histogram.Failures);
        Assert.Equal(Mutants, histogram.Total);
        Assert.True(histogram.Ran >= LeastRan * Mutants, $"only {histogram.Ran} of {Mutants} reached the run");
    }
}
