using AiOptix.Tensors;

namespace AiOptix.Data;

/// <summary>One sample: named tensors, without a batch axis. Whoever holds it disposes of it, and with it of its hold on their memory.</summary>
public sealed class Sample : IDisposable
{
    /// <summary>Creates a sample.</summary>
    /// <param name="names">The name of each tensor; no name twice.</param>
    /// <param name="values">The tensors, which are taken over.</param>
    /// <exception cref="ArgumentException">The numbers differ, or a name stands there twice.</exception>
    public Sample(IReadOnlyList<string> names, IReadOnlyList<Tensor> values)
    {
        if (names.Count != values.Count) throw new ArgumentException($"{names.Count} names for {values.Count} tensors", nameof(names));
        for (var i = 1; i < names.Count; i++)
            for (var j = 0; j < i; j++)
                if (names[i] == names[j]) throw new ArgumentException($"a sample has two tensors '{names[i]}'", nameof(names));
        (Names, Values) = (names, values);
    }

    /// <summary>The names, in order.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>The tensors, in the order of the names.</summary>
    public IReadOnlyList<Tensor> Values { get; }

    /// <summary>A tensor by its name.</summary>
    /// <exception cref="InvalidInputException">There is none.</exception>
    public Tensor this[string name]
    {
        get
        {
            for (var i = 0; i < Names.Count; i++)
                if (Names[i] == name) return Values[i];
            throw new InvalidInputException($"the sample has no '{name}'; it has {string.Join(", ", Names.Select(n => $"'{n}'"))}");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var value in Values) value.Dispose();
    }
}
