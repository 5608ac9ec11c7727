using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using AiOptix.Kernels.Vectors;
using AiOptix.Tensors;

namespace AiOptix.Kernels.LinearAttention;

/// <summary>
/// The contract of LinearAttention over floats: queries [batch, length, query heads, key size], keys [batch, length, key heads, key size] and values [batch, length, key heads, value size] to
/// a result [batch, length, query heads, value size] by way of a state [batch, key heads, key size, value size].
/// </summary>
/// <param name="Batch">Entries.</param>
/// <param name="Length">Tokens.</param>
/// <param name="QueryHeads">Heads of the queries.</param>
/// <param name="KeyHeads">Heads of keys and values; each serves QueryHeads / KeyHeads of the queries.</param>
/// <param name="KeySize">Elements of a query or key.</param>
/// <param name="ValueSize">Elements of a value.</param>
/// <param name="Decays">Decays of a token: 0, one for each head, or one for each element of a key.</param>
/// <param name="Rates">Update rates of a token: 0, 1, or one for each head. With rates, what the state holds for a key is taken off its value.</param>
/// <param name="Scale">The factor of the result.</param>
public sealed record LinearAttentionDescriptor(long Batch, long Length, int QueryHeads, int KeyHeads, int KeySize, int ValueSize, long Decays, long Rates, float Scale);

/// <summary>The arrays of a call; a past and a present state may be left out, and what the rule does not read.</summary>
public unsafe struct LinearAttentionCall
{
    /// <summary>Queries.</summary>
    public float* Queries;
    /// <summary>Keys.</summary>
    public float* Keys;
    /// <summary>Values.</summary>
    public float* Values;
    /// <summary>The state before the first token, or null for zeros.</summary>
    public float* Past;
    /// <summary>Decays, in log space.</summary>
    public float* Decays;
    /// <summary>Update rates.</summary>
    public float* Rates;
    /// <summary>The result.</summary>
    public float* Y;
    /// <summary>The state behind the last token, or null.</summary>
    public float* Present;
}

/// <summary>One token of one head for some columns of the state, which lie <see cref="LinearAttentionPlan.Columns"/> apart.</summary>
internal unsafe struct LinearAttentionToken
{
    public float* State, Query, Key, Value, Y, Factors;
    public int KeySize, QueryCount, Columns;
    public long YPitch;
    public float Rate, Scale;
    public bool HasRate;
}

/// <summary>A row of the table.</summary>
public readonly unsafe struct LinearAttentionKernel
{
    internal LinearAttentionKernel(string name, Isa needs, delegate*<LinearAttentionToken*, void> token, delegate*<float*, float*, int, void> exp, delegate*<float*, long, float*, long, int, int, void> rows)
    {
        Rows = rows;
        Name = name;
        Needs = needs;
        Token = token;
        Exp = exp;
    }

    /// <summary>The specification.</summary>
    public readonly string Name;
    /// <summary>Instruction sets it uses.</summary>
    public readonly Isa Needs;
    /// <summary>Takes a token in and reads its queries.</summary>
    internal readonly delegate*<LinearAttentionToken*, void> Token;
    /// <summary>Exponentials: from, to, count.</summary>
    internal readonly delegate*<float*, float*, int, void> Exp;
    /// <summary>Copies rows: from, its pitch, to, its pitch, rows, columns.</summary>
    internal readonly delegate*<float*, long, float*, long, int, int, void> Rows;
}

/// <summary>The table, best first, the scalar reference last; all rows give the same bits.</summary>
public static unsafe class LinearAttentionTable
{
    /// <summary>All rows.</summary>
    public static IReadOnlyList<LinearAttentionKernel> Rows { get; } =
    [
        new("linear_attention_f32_avx512", Isa.Avx512, &LinearAttentionLoop.Token<V16>, &LinearAttentionLoop.Exp<V16>, &LinearAttentionLoop.Rows<V16>),
        new("linear_attention_f32_avx2", Isa.Avx2, &LinearAttentionLoop.Token<V8>, &LinearAttentionLoop.Exp<V8>, &LinearAttentionLoop.Rows<V8>),
        new("linear_attention_f32_vector128", Isa.None, &LinearAttentionLoop.Token<V4>, &LinearAttentionLoop.Exp<V4>, &LinearAttentionLoop.Rows<V4>),
        new("linear_attention_f32_scalar", Isa.None, &LinearAttentionLoop.Token<V1>, &LinearAttentionLoop.Exp<V1>, &LinearAttentionLoop.Rows<V1>),
    ];

    /// <summary>The first row that the target can run.</summary>
    public static LinearAttentionKernel Select(Target target) => Rows.First(row => target.Has(row.Needs));
}

/// <summary>LinearAttention, made ready: a task takes all tokens of a head in for some columns of its state, which stay in a worker's scratch memory. Immutable.</summary>
public sealed unsafe class LinearAttentionPlan
{
    /// <summary>Columns of the state that a task holds.</summary>
    public const int Columns = 64;

    private readonly LinearAttentionDescriptor shape;
    private readonly int parts;

    /// <summary>Plans the operation; <paramref name="row"/> forces a row of the table.</summary>
    public LinearAttentionPlan(LinearAttentionDescriptor descriptor, Target target, LinearAttentionKernel? row = null)
    {
        shape = descriptor;
        Kernel = row ?? LinearAttentionTable.Select(target);
        parts = (descriptor.ValueSize + Columns - 1) / Columns;
        Tasks = checked((int)(descriptor.Batch * descriptor.KeyHeads * parts));
    }

    /// <summary>The chosen row.</summary>
    public LinearAttentionKernel Kernel { get; }

    /// <summary>Tasks; any cut of them into ranges gives the same bits.</summary>
    public int Tasks { get; }

    /// <summary>Scratch bytes a worker needs.</summary>
    public long ScratchBytes => ((long)shape.KeySize * Columns + Padded(shape.KeySize)) * sizeof(float);

    /// <summary>Runs tasks <paramref name="firstTask"/> up to <paramref name="endTask"/>.</summary>
    [MethodImpl(HotCode.Optimized)]
    public void Run(LinearAttentionCall call, int firstTask, int endTask, byte* scratch)
    {
        var (heads, keySize, valueSize) = (shape.KeyHeads, shape.KeySize, shape.ValueSize);
        var queries = shape.QueryHeads / heads;
        for (var task = firstTask; task < endTask; task++)
        {
            var (head, part) = Math.DivRem(task, parts);
            var (entry, h) = Math.DivRem(head, heads);
            var first = part * Columns;
            var token = new LinearAttentionToken
            {
                State = (float*)scratch,
                Factors = shape.Decays == 0 ? null : (float*)scratch + (long)keySize * Columns,
                KeySize = keySize,
                QueryCount = queries,
                Columns = Math.Min(Columns, valueSize - first),
                YPitch = valueSize,
                Scale = shape.Scale,
                HasRate = shape.Rates > 0,
            };
            var state = (long)head * keySize * valueSize + first;
            if (call.Past == null || token.Columns < Columns) NativeMemory.Clear(token.State, (nuint)keySize * Columns * sizeof(float));
            if (call.Past != null) Kernel.Rows(call.Past + state, valueSize, token.State, Columns, keySize, token.Columns);
            for (long t = 0; t < shape.Length; t++)
            {
                var at = entry * shape.Length + t;
                token.Key = call.Keys + (at * heads + h) * keySize;
                token.Value = call.Values + (at * heads + h) * valueSize + first;
                token.Query = call.Queries + (at * shape.QueryHeads + h * queries) * keySize;
                token.Y = call.Y + (at * shape.QueryHeads + h * queries) * valueSize + first;
                if (shape.Rates > 0) token.Rate = call.Rates[shape.Rates == 1 ? at : at * heads + h];
                if (shape.Decays == heads)
                {
                    Kernel.Exp(call.Decays + at * heads + h, token.Factors, 1);
                    for (var i = 1; i < keySize; i++) token.Factors[i] = token.Factors[0];
                }
                else if (shape.Decays > 0) Kernel.Exp(call.Decays + (at * heads + h) * keySize, token.Factors, keySize);
                Kernel.Token(&token);
            }
            if (call.Present != null) Kernel.Rows(token.State, Columns, call.Present + state, valueSize, keySize, token.Columns);
        }
    }

    private static long Padded(long n) => (n + 15) / 16 * 16;

    /// <summary>Rehearses a row: takes two tokens in by each rule.</summary>
    public static void Rehearse(LinearAttentionKernel row)
    {
        using var memory = new Loops.RehearsalMemory();
        const int n = Loops.RehearsalMemory.Row;
        foreach (var (decays, rates) in new[] { (0, 0), (1, 1), (n, 1) })
        {
            var plan = new LinearAttentionPlan(new(1, 2, 2, 1, n, n, decays, rates, 1), HostTarget.Current, row);
            var call = new LinearAttentionCall
            {
                Queries = memory.Floats(4 * n),
                Keys = memory.Floats(2 * n),
                Values = memory.Floats(2 * n),
                Past = memory.Floats(n * n),
                Decays = memory.Floats(2 * n),
                Rates = memory.Floats(2),
                Y = memory.Floats(4 * n),
                Present = memory.Floats(n * n),
            };
            plan.Run(call, 0, plan.Tasks, memory.Bytes(plan.ScratchBytes));
        }
    }
}
