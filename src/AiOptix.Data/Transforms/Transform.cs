namespace AiOptix.Data;

/// <summary>Makes a sample of a sample, on any worker. What it makes must depend on the sample and its context alone.</summary>
public abstract class Transform
{
    /// <summary>Transforms a sample.</summary>
    /// <param name="sample">The sample, which is taken over: what is not passed on is disposed of, unless the transform throws.</param>
    /// <param name="context">The sample's seed, memory and limits.</param>
    public abstract Sample Apply(Sample sample, SampleContext context);

    /// <summary>A function as a transform.</summary>
    public static Transform Of(Func<Sample, SampleContext, Sample> function) => new Function(function);

    private sealed class Function(Func<Sample, SampleContext, Sample> function) : Transform
    {
        public override Sample Apply(Sample sample, SampleContext context) => function(sample, context);
    }
}
