using System.Numerics;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>
/// ONNX DFT: the Fourier transform along an axis (input 2, -2 if left out) of [d…, 1] real or [d…, 2] complex numbers, cut off or filled with zeros to a length (input 1).
/// </summary>
/// <param name="Inverse">The inverse transform.</param>
/// <param name="OneSided">Forward: only the first half of the spectrum of real numbers; inverse: real numbers from such a half.</param>
public sealed record DFT(bool Inverse = false, bool OneSided = false) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = context.Require(0, Numbers.IsReal, "a floating-point type");
        if (context.Has(1)) context.RequireIndices(1);
        if (context.Has(2)) context.RequireIndices(2);
        if (context.Shape(0) is not { } s)
        {
            context.Set(0, type, null);
            return;
        }
        if (s.Rank < 2) throw context.Error($"input 0 has shape {s}; expected [d…, 1 or 2]");
        if (OneSided && s[-1].Constant is { } parts && parts != (Inverse ? 2 : 1)) throw context.Error($"a one-sided transform needs {(Inverse ? "complex" : "real")} numbers, found shape {s}");
        var known = context.Has(2) ? context.Integers(2) : [-2];
        if (known is not [var given])
        {
            context.Set(0, type, new([.. context.FreshShape(s.Rank - 1), OneSided && Inverse ? 1 : 2]));
            return;
        }
        var axis = context.Axis(given, s.Rank);
        if (axis == s.Rank - 1) throw context.Error("the last axis holds the parts of complex numbers and cannot be transformed");
        var length = !context.Has(1) ? OneSided && Inverse ? (s[axis] - 1) * 2 : s[axis] : context.Elements(1) is [var l] ? l : context.Fresh();
        if (length.Constant < 1) throw context.Error($"a transform of length {length} is not possible");
        context.Set(0, type, s.With(axis, OneSided && !Inverse ? Dim.FloorDiv(length, 2) + 1 : length).With(s.Rank - 1, OneSided && Inverse ? 1 : 2));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var s = x.Shape;
        var axis = context.Axis(context.Has(2) ? context.Integer(2) : -2, s.Rank);
        var length = context.Has(1) ? context.Integer(1) : OneSided && Inverse ? (s[axis] - 1) * 2 : s[axis];
        if (axis == s.Rank - 1 || length < 1 || s[-1] is not (1 or 2)) throw context.Error($"input {x} cannot be transformed along axis {axis} to length {length}");
        var shape = s.With(axis, OneSided && !Inverse ? length / 2 + 1 : length).With(s.Rank - 1, OneSided && Inverse ? 1 : 2);
        var output = context.Allocate(0, x.DType, shape);
        var values = x.ToReals();
        var result = new double[output.Count];
        var (parts, outParts) = (s[-1], shape[-1]);
        var (outer, inner) = (s.Product(0, axis), s.Product(axis + 1, s.Rank - 1));
        var signal = new Complex[length];
        for (long line = 0; line < outer * inner; line++)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            Array.Clear(signal);
            for (long i = 0; i < Math.Min(length, s[axis]); i++)
            {
                var at = ((line / inner * s[axis] + i) * inner + line % inner) * parts;
                signal[i] = new(values[at], parts == 2 ? values[at + 1] : 0);
            }
            if (OneSided && Inverse)
                for (var i = length / 2 + 1; i < length; i++) signal[i] = Complex.Conjugate(signal[length - i]);
            var spectrum = FourierTransform.Of(signal, Inverse);
            for (long i = 0; i < shape[axis]; i++)
            {
                var to = ((line / inner * shape[axis] + i) * inner + line % inner) * outParts;
                result[to] = spectrum[i].Real;
                if (outParts == 2) result[to + 1] = spectrum[i].Imaginary;
            }
        }
        output.Store(result);
    }

    /// <inheritdoc/>
    public override bool Compose(Composition to)
    {
        if (!to.IsSingle || to[0].Shape is not { Rank: >= 2 } s || s[-1].Constant is not (1 or 2) || to.Node.Output.Shape is not { } result) return false;
        var known = to.Node.Input(2) is { } place ? place.Elements is [{ Constant: { } given }] ? given : long.MaxValue : -2;
        if (known == long.MaxValue || (int)(known < 0 ? known + s.Rank : known) is var axis && s[axis].Constant is not > 0) return false;
        var asked = to.Node.Input(1) is not { } l ? OneSided && Inverse ? (s[axis].Constant - 1) * 2 : s[axis].Constant : l.Elements is [{ Constant: { } n }] ? n : null;
        if (asked is not { } length || length < 1) return false;
        // Of a spectrum's second half, which mirrors the first, nothing is read.
        var count = (int)Math.Min(s[axis].Constant!.Value, OneSided && Inverse ? length / 2 + 1 : length);
        var (parts, outParts, bins) = ((int)s[-1].Constant!.Value, (int)result[-1].Constant!.Value, result[axis].Constant!.Value);
        if (count * parts * bins * outParts > FourierTransform.MaxMatrix) return false;
        var matrix = FourierTransform.Matrix(count, parts, (int)bins, outParts, length, Inverse, OneSided);
        long[] order = [.. Enumerable.Range(0, s.Rank - 1).Where(a => a != axis), axis, s.Rank - 1];
        var x = count < s[axis].Constant ? to.Add(new Slice(), to[0], to.Integers(0), to.Integers(count), to.Integers(axis)) : to[0];
        if (axis != s.Rank - 2) x = to.Add(new Transpose([.. order]), x);
        long[] outer = [.. Enumerable.Repeat(0L, s.Rank - 2)];
        var lines = to.Add(new Reshape(), x, to.Integers([.. outer, count * parts]));
        var spectrum = to.Add(new Reshape(), to.Add(new MatMul(), lines, to.Constant(matrix)), to.Integers([.. outer, bins, outParts]));
        return to.Set(0, axis == s.Rank - 2 ? spectrum : to.Add(new Transpose([.. Enumerable.Range(0, s.Rank).Select(a => (long)Array.IndexOf(order, a))]), spectrum));
    }
}

/// <summary>
/// ONNX STFT: transforms of windows that slide over signals [N, length], [N, length, 1] or complex [N, length, 2] in steps (input 1), each multiplied by a window (input 2) or of
/// a frame length (input 3). Gives [N, frames, bins, 2].
/// </summary>
/// <param name="OneSided">Only the first half of each spectrum, for real signals.</param>
public sealed record STFT(bool OneSided = true) : Operator
{
    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        var type = context.Require(0, Numbers.IsReal, "a floating-point type");
        context.RequireIndices(1);
        if (context.Has(2)) context.RequireSame(0, 2);
        if (context.Has(3)) context.RequireIndices(3);
        if (!context.Has(2) && !context.Has(3)) throw context.Error("a window or a frame length is required");
        var s = context.Shape(0);
        if (s is { Rank: not (2 or 3) }) throw context.Error($"input 0 has shape {s}; expected [N, length, 1 or 2]");
        if (OneSided && s is { Rank: 3 } && s[2].Constant == 2) throw context.Error("a one-sided transform needs real signals");
        var frame = context.Has(3) ? context.Elements(3) is [var f] ? f : null : context.Shape(2)?[0];
        var step = context.Integers(1) is [var n] ? n : (long?)null;
        if (step < 1) throw context.Error($"the step {step} must be positive");
        var frames = s is not null && frame is not null && step is { } every ? Dim.FloorDiv(s[1] - frame, every) + 1 : context.Fresh();
        context.Set(0, type, new(s?[0] ?? context.Fresh(), frames, frame is null ? context.Fresh() : OneSided ? Dim.FloorDiv(frame, 2) + 1 : frame, 2));
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var step = context.Integer(1);
        var window = context.OptionalInput(2)?.ToReals();
        var frame = context.Has(3) ? context.Integer(3) : window!.Length;
        var (length, parts) = (x.Shape[1], x.Shape.Rank == 3 ? x.Shape[2] : 1);
        if (step < 1 || frame < 1 || frame > length || window is not null && window.Length > frame) throw context.Error($"frames of {frame} elements in steps of {step} do not fit signals of {length} and the window");
        var shape = new Shape(x.Shape[0], (length - frame) / step + 1, OneSided ? frame / 2 + 1 : frame, 2);
        var output = context.Allocate(0, x.DType, shape);
        var values = x.ToReals();
        var result = new double[output.Count];
        var signal = new Complex[frame];
        for (long line = 0; line < shape[0] * shape[1]; line++)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            for (long i = 0; i < frame; i++)
            {
                var at = (line / shape[1] * length + line % shape[1] * step + i) * parts;
                var factor = window is null ? 1 : i < window.Length ? window[i] : 0;
                signal[i] = new(values[at] * factor, parts == 2 ? values[at + 1] * factor : 0);
            }
            var spectrum = FourierTransform.Of(signal, inverse: false);
            for (long k = 0; k < shape[2]; k++) (result[(line * shape[2] + k) * 2], result[(line * shape[2] + k) * 2 + 1]) = (spectrum[k].Real, spectrum[k].Imaginary);
        }
        output.Store(result);
    }

    /// <inheritdoc/>
    public override bool Compose(Composition to)
    {
        if (!to.IsSingle || to[0].Shape is not { Rank: 2 or 3 } s || (s.Rank == 3 && s[2].Constant != 1) || to[1].Elements is not [{ Constant: > 0 and var step }]) return false;
        var window = to.Node.Input(2);
        if (window is not null && window.Constant is null) return false;
        var asked = to.Node.Input(3) is { } given ? given.Elements is [{ Constant: { } n }] ? (long?)n : null : window!.Constant!.Count;
        if (asked is not > 0 || asked < window?.Constant!.Count) return false;
        var (frame, bins) = ((int)asked, (int)(OneSided ? asked.Value / 2 + 1 : asked.Value));
        if ((long)frame * bins * 2 > FourierTransform.MaxMatrix) return false;
        // A convolution by the frequencies, each times the window, that moves on by a step.
        using var matrix = FourierTransform.Matrix(frame, 1, bins, 2, frame, inverse: false, oneSided: false);
        var factors = window?.Constant!.ToReals();
        var kernel = Tensor.Allocate(DType.Float32, new Shape(2 * bins, 1, frame));
        var from = matrix.Span<float>();
        var into = kernel.Span<float>();
        for (var i = 0; i < frame; i++)
            for (var k = 0; k < 2 * bins; k++) into[k * frame + i] = factors is null ? from[i * 2 * bins + k] : i < factors.Length ? (float)(from[i * 2 * bins + k] * factors[i]) : 0;
        var x = s.Rank == 2 ? to.Add(new Unsqueeze(), to[0], to.Integers(1)) : to.Add(new Transpose([0, 2, 1]), to[0]);
        var spectra = to.Add(new Transpose([0, 2, 1]), to.Add(new Conv(Strides: new([step])), x, to.Constant(kernel)));
        return to.Set(0, to.Add(new Reshape(), spectra, to.Integers(0, 0, bins, 2)));
    }
}
