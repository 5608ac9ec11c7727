using AiOptix.Graphs;
using AiOptix.Tensors;

namespace AiOptix;

/// <summary>Inputs for one run of a model.</summary>
/// <param name="Values">A tensor for each input, in order.</param>
/// <param name="Drawn">The names of the inputs that were drawn.</param>
/// <param name="Dims">The value of every symbolic dimension of the inputs.</param>
/// <param name="AssumedDims">The symbolic dimensions that nobody gave and that were therefore taken as 1.</param>
public sealed record SampleSet(IReadOnlyList<Tensor> Values, IReadOnlyList<string> Drawn, IReadOnlyDictionary<string, long> Dims, IReadOnlyList<string> AssumedDims);

/// <summary>
/// Draws inputs within a model's types and shapes, the same for the same seed on every machine. Floats are normal with mean 0 and deviation 1; integers of 8 bits cover
/// their range; wider integers lie from 0 to 9, but are 1 where the input's name says mask or length and 0 where it says type or segment; booleans are
/// drawn, but true where the name says mask; strings are empty.
/// </summary>
public static class SampleInputs
{
    private const int WideIntegers = 10;

    /// <summary>Draws the inputs that are not given.</summary>
    /// <param name="model">The model.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="dims">Values of symbolic dimensions, by name. Given tensors fix those of their shapes.</param>
    /// <param name="given">Inputs that are there already, by name.</param>
    /// <param name="limits">Bounds on their size.</param>
    /// <exception cref="InvalidInputException">A name is not one of the model's, a dimension is given twice and differently, or an input cannot be drawn.</exception>
    public static SampleSet Draw(Model model, int seed = 0, IReadOnlyDictionary<string, long>? dims = null, IReadOnlyDictionary<string, Tensor>? given = null, Limits? limits = null)
    {
        var inputs = model.Inputs;
        given ??= new Dictionary<string, Tensor>();
        CheckNames(model, dims, given);
        var values = new Dictionary<string, long>(dims ?? new Dictionary<string, long>(), StringComparer.Ordinal);
        foreach (var input in inputs)
            if (given.TryGetValue(input.Name, out var tensor)) Bind(input, tensor.Shape, values);
        string[] assumed = [.. Symbols(model).Where(s => !values.ContainsKey(s))];
        foreach (var symbol in assumed) values[symbol] = 1;
        var tensors = new Tensor[inputs.Count];
        for (var i = 0; i < tensors.Length; i++)
            tensors[i] = given.TryGetValue(inputs[i].Name, out var tensor) ? tensor : Draw(inputs[i], values, new Random(unchecked(seed * 7919 + i)), limits ?? Limits.Default);
        return new(tensors, [.. inputs.Select(i => i.Name).Where(n => !given.ContainsKey(n))], values, assumed);
    }

    /// <summary>The symbolic dimensions of the model's inputs.</summary>
    public static IReadOnlyList<string> Symbols(Model model) => [.. model.Inputs.SelectMany(i => i.Shape?.Symbols ?? []).Distinct(StringComparer.Ordinal)];

    private static void CheckNames(Model model, IReadOnlyDictionary<string, long>? dims, IReadOnlyDictionary<string, Tensor> given)
    {
        var inputs = model.Inputs.Select(i => i.Name).ToArray();
        if (given.Keys.Except(inputs).FirstOrDefault() is { } input)
            throw new InvalidInputException($"the model has no input '{input}'; it has {Quoted(inputs)}");
        var symbols = Symbols(model);
        if (dims?.Keys.Except(symbols).FirstOrDefault() is { } dim)
            throw new InvalidInputException($"the model's inputs have no symbolic dimension '{dim}'; they have {Quoted(symbols)}");
    }

    private static string Quoted(IReadOnlyList<string> names) => names.Count == 0 ? "none" : string.Join(", ", names.Select(n => $"'{n}'"));

    private static void Bind(ValueInfo input, Shape shape, Dictionary<string, long> values)
    {
        if (input.Shape is not { } symbolic) return;
        if (symbolic.Rank != shape.Rank) throw new InvalidInputException($"input '{input.Name}' must be {input.Type}, the given tensor has shape {shape}");
        for (var axis = 0; axis < shape.Rank; axis++)
        {
            if (symbolic[axis].SymbolName is not { } symbol || values.TryAdd(symbol, shape[axis])) continue;
            if (values[symbol] != shape[axis])
                throw new InvalidInputException($"input '{input.Name}' makes dimension '{symbol}' {shape[axis]}, but it was given as {values[symbol]}");
        }
    }

    private static Tensor Draw(ValueInfo input, Dictionary<string, long> dims, Random random, Limits limits)
    {
        if (input.Shape is not { } symbolic || input.DType == DType.Undefined)
            throw new InvalidInputException($"input '{input.Name}' ({input.Type?.ToString() ?? "of unknown type"}) cannot be drawn; give a tensor");
        var shape = symbolic.Evaluate(dims);
        limits.CheckTensor(input.DType, shape, $"input '{input.Name}'");
        var tensor = Tensor.Allocate(input.DType, shape, zeroed: true);
        Fill(tensor, input.Name, random);
        return tensor;
    }

    private static void Fill(Tensor tensor, string name, Random random)
    {
        bool Says(string word) => name.Contains(word, StringComparison.OrdinalIgnoreCase);
        var constant = Says("mask") || Says("length") ? 1 : Says("type") || Says("segment") ? 0 : (int?)null;
        int Integer() => constant ?? random.Next(WideIntegers);
        switch (tensor.DType)
        {
            case DType.Float32 or DType.Complex64: Each<float>(tensor, () => (float)Normal(random)); break;
            case DType.Float64 or DType.Complex128: Each<double>(tensor, () => Normal(random)); break;
            case DType.Float16: Each<Half>(tensor, () => (Half)Normal(random)); break;
            case DType.BFloat16: Each<BFloat16>(tensor, () => (BFloat16)(float)Normal(random)); break;
            case DType.Int64: Each<long>(tensor, () => Integer()); break;
            case DType.Int32: Each<int>(tensor, Integer); break;
            case DType.Int16: Each<short>(tensor, () => (short)Integer()); break;
            case DType.UInt64: Each<ulong>(tensor, () => (ulong)Integer()); break;
            case DType.UInt32: Each<uint>(tensor, () => (uint)Integer()); break;
            case DType.UInt16: Each<ushort>(tensor, () => (ushort)Integer()); break;
            case DType.Bool: Each<byte>(tensor, () => (byte)(Says("mask") ? 1 : random.Next(2))); break;
            case DType.String: break;
            case var type when type.IsNarrowFloat() && !type.IsPacked(): Each<byte>(tensor, () => (byte)random.Next(0x40)); break;
            default: Each<byte>(tensor, () => (byte)random.Next(256)); break;
        }
        GC.KeepAlive(tensor);
    }

    private static void Each<T>(Tensor tensor, Func<T> draw) where T : unmanaged
    {
        foreach (ref var element in System.Runtime.InteropServices.MemoryMarshal.Cast<byte, T>(tensor.Bytes)) element = draw();
    }

    private static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
