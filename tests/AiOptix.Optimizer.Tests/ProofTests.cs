using AiOptix.Optimization;
using AiOptix.Tensors;

namespace AiOptix.Optimizer.Tests;

public class ProofTests
{
    /// <summary>Values from tables of the exact binomial limits.</summary>
    [Theory]
    [InlineData(0, 100, 0.95, 0.029513)]
    [InlineData(0, 598, 0.95, 0.004997)]
    [InlineData(1, 100, 0.95, 0.046561)]
    [InlineData(5, 100, 0.95, 0.102253)]
    [InlineData(10, 20, 0.975, 0.728042)]
    [InlineData(20, 20, 0.95, 1)]
    public void ExactLimits(long found, long count, double confidence, double limit) => Assert.Equal(limit, Binomial.UpperLimit(found, count, confidence), 5);

    [Theory]
    [InlineData(0.005, 598)]
    [InlineData(0.05, 59)]
    [InlineData(0.01, 299)]
    public void TheNumberNeededIsTheLeastThatWouldDo(double most, long needed)
    {
        Assert.Equal(needed, Binomial.Needed(most, 0.95));
        Assert.True(Binomial.UpperLimit(0, needed, 0.95) <= most);
        Assert.True(Binomial.UpperLimit(0, needed - 1, 0.95) > most);
    }

    /// <summary>The claim is wrong in no more than 1 of 20 experiments, whether few or many answers differ.</summary>
    [Theory]
    [InlineData(600, 0.005, 0.000)]
    [InlineData(600, 0.010, 0.005)]
    [InlineData(2000, 0.020, 0.012)]
    [InlineData(1000, 0.080, 0.080)]
    [InlineData(1500, 0.015, 0.005)]
    public void TheWorseEndIsRarelyTooGood(int count, double lose, double gain)
    {
        var random = new Random(7);
        const int Experiments = 4000;
        var wrong = 0;
        for (var e = 0; e < Experiments; e++)
        {
            int lost = 0, gained = 0;
            for (var i = 0; i < count; i++)
            {
                var u = random.NextDouble();
                if (u < lose) lost++;
                else if (u < lose + gain) gained++;
            }
            if (PairedDrop.WorseEnd(lost, gained, count, 0.95) < lose - gain) wrong++;
        }
        Assert.InRange(wrong, 0, Experiments * 0.06);
    }

    [Fact]
    public void TheBootstrapHoldsTheMean()
    {
        var random = new Random(3);
        const int Experiments = 200;
        var wrong = 0;
        for (var e = 0; e < Experiments; e++)
        {
            var differences = Enumerable.Range(0, 80).Select(_ => 0.02 + (random.NextDouble() - 0.5)).ToArray();
            if (PairedDrop.WorseEnd(differences, 0.95, e) < 0.02) wrong++;
        }
        Assert.InRange(wrong, 0, 24);
        double[] some = [0.1, -0.2, 0.4, 0];
        Assert.Equal(PairedDrop.WorseEnd(some, 0.95, 5), PairedDrop.WorseEnd(some, 0.95, 5));
    }

    [Fact]
    public void ABudgetHoldsByTheWorseEndAndNotByThePoint()
    {
        var budget = new ErrorBudget { MaxAccuracyDrop = 0.005 };
        var right = Enumerable.Repeat(1.0, 600).ToArray();
        Assert.True(BudgetProof.Of(budget, right, right).Holds);
        var one = right.ToArray();
        one[17] = 0;
        var proof = BudgetProof.Of(budget, right, one);
        Assert.True(proof.Drop < budget.MaxAccuracyDrop);
        Assert.False(proof.Holds);
        Assert.Equal((1, 0), (proof.Lost, proof.Gained));
        Assert.False(BudgetProof.Of(budget, right[..300], right[..300]).Holds);
        var allowed = BudgetProof.Of(budget with { AllowLittleData = true }, right[..300], right[..300]);
        Assert.True(allowed is { Holds: true, IsShown: false });
    }

    [Fact]
    public void AnErrorBoundSaysForHowManyInputsItHolds()
    {
        var budget = new ErrorBudget { MaxError = 0.01 };
        var proof = BudgetProof.Of(budget, [], [.. Enumerable.Range(0, 59).Select(i => i * 1e-4)]);
        Assert.True(proof.Holds && proof.HasEnoughData);
        Assert.Equal(0.0058, proof.WorseEnd, 12);
        Assert.InRange(proof.Coverage, 0.95, 0.951);
        Assert.False(BudgetProof.Of(budget, [], [0.001, 0.011]).Holds);
        Assert.False(BudgetProof.Of(budget, [], [double.PositiveInfinity]).Holds);
    }

    [Theory]
    [InlineData(null, null, "either")]
    [InlineData(0.1, 0.1, "either")]
    [InlineData(0.0, null, "between 0 and 1")]
    [InlineData(1.0, null, "between 0 and 1")]
    [InlineData(double.NaN, null, "between 0 and 1")]
    [InlineData(null, -1.0, "negative")]
    public void BudgetsThatAreNone(double? drop, double? error, string text) =>
        Assert.Contains(text, Assert.Throws<ArgumentException>(() => new ErrorBudget { MaxAccuracyDrop = drop, MaxError = error }.Check()).Message, StringComparison.Ordinal);

    [Fact]
    public void AMetricMustFitTheBudget()
    {
        Assert.Throws<ArgumentException>(() => new ErrorBudget { MaxAccuracyDrop = 0.1, Metric = Metric.Cosine }.Check());
        Assert.Throws<ArgumentException>(() => new ErrorBudget { MaxError = 0.1, Metric = Metric.Top1 }.Check());
        new ErrorBudget { MaxError = 0.1, Metric = Metric.SquaredError }.Check();
    }

    [Fact]
    public void MetricsScoreRowsAndSamples()
    {
        var expected = Tensor.From<float>([1, 2, 3, 9, 8, 7], new Shape(2, 3));
        var found = Tensor.From<float>([1, 2, 3, 9, 8.5f, 7], new Shape(2, 3));
        var other = Tensor.From<float>([5, 2, 3, 9, 8, 7], new Shape(2, 3));
        Assert.Equal([1, 0], Metric.Top1.Score(new(0, [found], [expected], Tensor.Vector<long>(2, 1))));
        Assert.Equal([0, 1], Metric.Top1.Score(new(0, [other], [expected], null)));
        Assert.Equal(0.5 / 9, Metric.LargestError.Score(new(0, [found], [expected], null))[0], 6);
        Assert.Equal(0.25 / 208, Metric.SquaredError.Score(new(0, [found], [expected], null))[0], 6);
        Assert.InRange(Metric.Cosine.Score(new(0, [found], [expected], null))[0], 1e-5, 1e-2);
        Assert.Throws<InvalidInputException>(() => Metric.Top1.Score(new(0, [found], [expected], Tensor.Vector<long>(2))));
        var broken = Tensor.From<float>([1, 2, 3, 9, float.NaN, 7], new Shape(2, 3));
        foreach (var metric in new[] { Metric.LargestError, Metric.SquaredError, Metric.Cosine }) Assert.Equal(double.PositiveInfinity, metric.Score(new(0, [broken], [expected], null))[0]);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(10)]
    [InlineData(800)]
    public void ASplitUsesEverySampleOnce(int count)
    {
        var split = SampleSplit.Of(count, 5);
        Assert.Equal(Enumerable.Range(0, count), split.Calibration.Concat(split.Search).Concat(split.HeldBack).Order());
        Assert.True(split.Calibration.Count > 0 && split.Search.Count > 0 && split.HeldBack.Count > 0);
        Assert.Equal(split.HeldBack, SampleSplit.Of(count, 5).HeldBack);
        if (count == 800) Assert.Equal((100, 100, 600), (split.Calibration.Count, split.Search.Count, split.HeldBack.Count));
    }
}
