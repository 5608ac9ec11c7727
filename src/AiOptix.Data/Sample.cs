using AiOptix.Tensors;

namespace AiOptix.Data;

/// <summary>One sample: named tensors, without a batch axis, or values of other kinds (sequences, maps, optionals), which only samples that are not batched may have. Whoever holds it disposes of it, and with it of its hold on their memory.</summary>
public sealed class Sample : IDisposable
{
    /// <summary>Creates a sample.</summary>
    /// <param name="names">The name of each value; no name twice.</param>
    /// <param name="values">The values, which are taken over.</param>
    /// <exception cref="ArgumentException">The numbers differ, or a name stands there twice.</exception>
    public Sample(IReadOnlyList<string> names, IReadOnlyList<RuntimeValue> values)
    {
        if (names.Count != values.Count) throw new ArgumentException($"{names.Count} names for {values.Count} values", nameof(names));
        for (var i = 1; i < names.Count; i++)
            for (var j = 0; j < i; j++)
                if (names[i] == names[j]) throw new ArgumentException($"a sample has two values '{names[i]}'", nameof(names));
        (Names, Values) = (names, values);
    }

    /// <summary>The names, in order.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>The values, in the order of the names.</summary>
    public IReadOnlyList<RuntimeValue> Values { get; }

    /// <summary>A tensor by its name.</summary>
    /// <exception cref="InvalidInputException">There is none.</exception>
    public Tensor this[string name] => Find(Names, Values, name, "sample");

    internal Tensor[] Tensors => [.. Names.Select(n => this[n])];

    internal static Tensor Find(IReadOnlyList<string> names, IReadOnlyList<RuntimeValue> values, string name, string what)
    {
        for (var i = 0; i < names.Count; i++)
            if (names[i] == name) return values[i] as Tensor ?? throw new InvalidInputException($"'{name}' of the {what} is no tensor but a {values[i].GetType().Name}");
        throw new InvalidInputException($"the {what} has no '{name}'; it has {(names.Count == 0 ? "nothing" : string.Join(", ", names.Select(n => $"'{n}'")))}");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var value in Values) value.Dispose();
    }
}
