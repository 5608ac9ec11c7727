using AiOptix.Tensors;

namespace AiOptix.Data;

/// <summary>
/// A batch: for each field a tensor whose first axis counts samples. Its memory is recycled when the last holder of each tensor lets go, by <see cref="Dispose"/> or by the
/// collector, and never before: a batch that is kept stays what it is.
/// </summary>
public sealed class Batch : IDisposable
{
    internal Batch(long epoch, long number, IReadOnlyList<string> names, IReadOnlyList<RuntimeValue> values, IReadOnlyList<long> indices, IReadOnlyList<SampleError> errors) =>
        (Epoch, Number, Names, Values, Indices, Errors) = (epoch, number, names, values, indices, errors);

    /// <summary>The epoch, from 0.</summary>
    public long Epoch { get; }

    /// <summary>Which batch of the epoch, from 0.</summary>
    public long Number { get; }

    /// <summary>The names of the fields. None when no sample of the data set could be read.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>The tensors, in the order of the names; values of other kinds only without a batch axis.</summary>
    public IReadOnlyList<RuntimeValue> Values { get; }

    /// <summary>Which sample of the data set each row is.</summary>
    public IReadOnlyList<long> Indices { get; }

    /// <summary>The samples of this batch that could not be read.</summary>
    public IReadOnlyList<SampleError> Errors { get; }

    /// <summary>How many samples it has.</summary>
    public int Count => Indices.Count;

    /// <summary>A tensor by its name.</summary>
    /// <exception cref="InvalidInputException">There is none.</exception>
    public Tensor this[string name] => Sample.Find(Names, Values, name, "batch");

    /// <summary>The tensors of the names given, in that order: the inputs of a session's run.</summary>
    /// <exception cref="InvalidInputException">A name is not there.</exception>
    public Tensor[] Inputs(params IEnumerable<string> names) => [.. names.Select(n => this[n])];

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var value in Values) value.Dispose();
    }
}
