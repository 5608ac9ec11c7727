using System.Numerics.Tensors;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix;

/// <summary>Runs of models with one input and one output straight over the caller's memory: nothing is copied either way.</summary>
public static class SessionSpans
{
    /// <summary>Runs a model from one tensor span into another. Both must be dense and row-major.</summary>
    /// <exception cref="InvalidInputException">The model has more inputs or outputs, a shape does not fit, or a span is not dense.</exception>
    /// <exception cref="InputTypeException">An element type does not fit.</exception>
    public static void Run<TIn, TOut>(this Session session, in ReadOnlyTensorSpan<TIn> input, in TensorSpan<TOut> output, CancellationToken cancellation = default)
        where TIn : unmanaged where TOut : unmanaged
    {
        if (!input.IsDense || !output.IsDense) throw new InvalidInputException("tensor spans must be dense; copy a strided one first");
        var from = ShapeOf(input.Lengths);
        var to = ShapeOf(output.Lengths);
        var start = new nint[Math.Max(from.Rank, to.Rank)];
        session.Run(input.GetSpan(start.AsSpan(0, from.Rank), checked((int)from.Count)), from, output.GetSpan(start.AsSpan(0, to.Rank), checked((int)to.Count)), to, cancellation);
    }

    private static Shape ShapeOf(ReadOnlySpan<nint> lengths)
    {
        var dims = new long[lengths.Length];
        for (var i = 0; i < dims.Length; i++) dims[i] = lengths[i];
        return new Shape(dims);
    }
}
