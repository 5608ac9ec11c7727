namespace AiOptix.Tensors;

/// <summary>A list of values of one kind. It takes its items over and disposes of them; to put a value into two lists, put <see cref="RuntimeValue.Share"/> into one.</summary>
public sealed class SequenceValue : RuntimeValue
{
    /// <summary>Creates a list; the items are taken over.</summary>
    public SequenceValue(IReadOnlyList<RuntimeValue> items) => Items = items;

    /// <summary>The items.</summary>
    public IReadOnlyList<RuntimeValue> Items { get; }

    /// <inheritdoc/>
    public override SequenceValue Share() => new([.. Items.Select(i => i.Share())]);

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (var i in Items) i.Dispose();
    }

    /// <summary><c>seq(2: float32[3], float32[4])</c></summary>
    public override string ToString() => $"seq({Items.Count}: {string.Join(", ", Items)})";
}

/// <summary>A value or nothing. It takes its content over and disposes of it.</summary>
public sealed class OptionalValue : RuntimeValue
{
    /// <summary>Creates one; null is the empty optional.</summary>
    public OptionalValue(RuntimeValue? content) => Content = content;

    /// <summary>The content, or null when empty.</summary>
    public RuntimeValue? Content { get; }

    /// <inheritdoc/>
    public override OptionalValue Share() => new(Content?.Share());

    /// <inheritdoc/>
    public override void Dispose() => Content?.Dispose();

    /// <summary><c>optional(float32[3])</c></summary>
    public override string ToString() => $"optional({Content?.ToString() ?? "empty"})";
}

/// <summary>A dictionary whose keys are integers or strings: a vector of keys and as many values.</summary>
public sealed class MapValue : RuntimeValue
{
    /// <summary>Creates one; both are taken over.</summary>
    /// <param name="keys">A vector of an integer type or of strings.</param>
    /// <param name="values">The values in the order of the keys: one tensor with an element for each key.</param>
    /// <exception cref="ArgumentException">The counts differ.</exception>
    public MapValue(Tensor keys, Tensor values)
    {
        if (keys.Count != values.Count) throw new ArgumentException($"{keys.Count} keys do not fit {values.Count} values", nameof(values));
        Keys = keys;
        Values = values;
    }

    /// <summary>The keys.</summary>
    public Tensor Keys { get; }

    /// <summary>The values.</summary>
    public Tensor Values { get; }

    /// <inheritdoc/>
    public override MapValue Share() => new(Keys.Share(), Values.Share());

    /// <inheritdoc/>
    public override void Dispose()
    {
        Keys.Dispose();
        Values.Dispose();
    }

    /// <summary><c>map(int64[3], float32[3])</c></summary>
    public override string ToString() => $"map({Keys}, {Values})";
}
