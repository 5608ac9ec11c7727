using AiOptix.Tensors;

namespace AiOptix.Data;

/// <summary>A transform of one field; the others pass.</summary>
public abstract class FieldTransform : Transform
{
    /// <summary>The field; null takes the first.</summary>
    public string? Field { get; init; }

    /// <inheritdoc/>
    public sealed override Sample Apply(Sample sample, SampleContext context)
    {
        var at = 0;
        if (Field is not null)
            for (at = 0; at < sample.Names.Count && sample.Names[at] != Field;) at++;
        if (at >= sample.Names.Count) throw new InvalidInputException($"{GetType().Name} is for the field '{Field}', which the sample does not have; it has {string.Join(", ", sample.Names.Select(n => $"'{n}'"))}");
        var given = sample.Values[at] as Tensor ?? throw new InvalidInputException($"{GetType().Name} is for tensors; '{sample.Names[at]}' is a {sample.Values[at].GetType().Name}");
        var made = Apply(given, context);
        if (ReferenceEquals(made, given)) return sample;
        var values = sample.Values.ToArray();
        values[at] = made;
        given.Dispose();
        return new(sample.Names, values);
    }

    /// <summary>Transforms the field's tensor: gives it back, or a new one, which must not be a view that outlives it without a hold of its own.</summary>
    protected abstract Tensor Apply(Tensor value, SampleContext context);

    /// <summary>Throws unless a tensor is an image.</summary>
    private protected void RequireImage(Tensor value)
    {
        if (value.DType != DType.UInt8 || value.Shape.Rank != 3) throw new InvalidInputException($"{GetType().Name} needs an image, uint8 [height, width, channels]; found {value}");
    }
}
