using AiOptix.Graphs.Evaluate;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops.Ml;

/// <summary>
/// ONNX ML SVMClassifier: features [N, C] or [C] to labels [N] and float32 scores. With support vectors every pair of classes has a score and a vote; the label has most votes;
/// with probability coefficients the scores are probabilities coupled pair by pair (Wu, Lin and Weng 2004, second method). Without support vectors each class has a linear score.
/// </summary>
/// <param name="Kernel">The kernel.</param>
/// <param name="Coefficients">[classes - 1, vectors]; without support vectors [classes, features].</param>
/// <param name="SupportVectors">The support vectors one after the other, class by class.</param>
/// <param name="VectorsPerClass">How many vectors each class has; empty without support vectors.</param>
/// <param name="Rho">What is added to the score of each pair.</param>
/// <param name="ProbA">Slopes of the pairs' probabilities; empty for scores.</param>
/// <param name="ProbB">Offsets of the pairs' probabilities.</param>
/// <param name="Labels">The classes.</param>
/// <param name="Transform">What becomes of the scores of a row.</param>
public sealed record SVMClassifier(SvmKernel Kernel, ValueList<float> Coefficients, ValueList<float> SupportVectors, ValueList<long> VectorsPerClass, ValueList<float> Rho, ValueList<float> ProbA,
    ValueList<float> ProbB, ClassLabels Labels, PostTransform Transform = PostTransform.None) : Operator
{
    private int Classes => Math.Max(1, Labels.Count);

    private int Vectors => (int)VectorsPerClass.Sum();

    private bool HasProbabilities => ProbA.Count > 0 && Vectors > 0;

    /// <summary>Scores of a row before the transform.</summary>
    private int Raw => Vectors == 0 || HasProbabilities ? Classes : Classes * (Classes - 1) / 2;

    /// <inheritdoc/>
    public override void Infer(InferenceContext context)
    {
        FeatureRows.Require(context);
        var pairs = Classes * (Classes - 1) / 2;
        if (Rho.Count < (Vectors == 0 ? 1 : pairs)) throw context.Error($"{Rho.Count} values of rho do not fit {Classes} classes");
        if (HasProbabilities && (ProbA.Count != pairs || ProbB.Count != pairs)) throw context.Error($"prob_a and prob_b of {ProbA.Count} and {ProbB.Count} values do not fit {pairs} pairs of classes");
        if (Vectors > 0 && (VectorsPerClass.Count != Classes || Coefficients.Count != (Classes - 1) * Vectors)) throw context.Error($"{Coefficients.Count} coefficients do not fit {Vectors} vectors of {Classes} classes");
        Labels.Infer(context, Raw == 1 && Labels.Count == 2 ? 2 : Raw);
    }

    /// <inheritdoc/>
    public override void Evaluate(EvaluationContext context)
    {
        var x = context.Input(0);
        var (rows, features) = FeatureRows.Of(context, x.Shape);
        if (Vectors > 0 ? SupportVectors.Count != Vectors * features : Coefficients.Count != Classes * features) throw context.Error($"the model does not fit {features} features");
        var values = ElementTypes.ToFloat64(x);
        var width = Raw == 1 && Labels.Count == 2 ? 2 : Raw;
        var labels = context.Allocate(0, Labels.Type, new Shape(rows));
        var scores = new double[rows * width];
        for (var row = 0; row < rows; row++)
        {
            var own = values.AsSpan(row * features, features);
            var best = Vectors > 0 ? Vote(own, out var raw) : Linear(own, out raw);
            if (width > raw.Length) raw = [-raw[0], raw[0]];
            PostTransforms.Apply(Transform, raw);
            raw.CopyTo(scores, row * width);
            Labels.Put(labels, row, best);
        }
        context.Allocate(1, DType.Float32, new Shape(rows, width)).Store(scores);
    }

    private int Linear(ReadOnlySpan<double> row, out double[] scores)
    {
        scores = new double[Classes];
        var plain = new SvmKernel();
        for (var c = 0; c < Classes; c++) scores[c] = Rho[0] + plain.Product(row, Coefficients.Span.Slice(c * row.Length, row.Length));
        return Classes == 1 ? scores[0] > 0 ? 0 : -1 : ClassLabels.Largest(scores);
    }

    private int Vote(ReadOnlySpan<double> row, out double[] scores)
    {
        var kernels = new double[Vectors];
        for (var v = 0; v < kernels.Length; v++) kernels[v] = Kernel.Product(row, SupportVectors.Span.Slice(v * row.Length, row.Length));
        var votes = new double[Classes];
        scores = new double[Classes * (Classes - 1) / 2];
        var (pair, first) = (0, 0);
        for (var i = 0; i < Classes; i++)
        {
            var second = first + (int)VectorsPerClass[i];
            for (var j = i + 1; j < Classes; j++)
            {
                var s = Rho[pair] + Sum(kernels, j - 1, first, VectorsPerClass[i]) + Sum(kernels, i, second, VectorsPerClass[j]);
                votes[s > 0 ? i : j]++;
                scores[pair++] = s;
                second += (int)VectorsPerClass[j];
            }
            first += (int)VectorsPerClass[i];
        }
        var best = ClassLabels.Largest(votes);
        if (HasProbabilities) scores = Couple(scores);
        return best;
    }

    private double Sum(double[] kernels, int line, int start, long count)
    {
        double sum = 0;
        for (var v = start; v < start + count; v++) sum += Coefficients[line * Vectors + v] * kernels[v];
        return sum;
    }

    /// <summary>Class probabilities that agree best with those of the pairs.</summary>
    private double[] Couple(double[] scores)
    {
        var k = Classes;
        var r = new double[k, k];
        var pair = 0;
        for (var i = 0; i < k; i++)
            for (var j = i + 1; j < k; j++, pair++)
            {
                var p = Math.Clamp(1 - PostTransforms.Logistic(scores[pair] * ProbA[pair] + ProbB[pair]), 1e-7, 1 - 1e-7);
                (r[i, j], r[j, i]) = (p, 1 - p);
            }
        var q = new double[k, k];
        for (var t = 0; t < k; t++)
            for (var j = 0; j < k; j++)
                if (j != t)
                {
                    q[t, t] += r[j, t] * r[j, t];
                    q[t, j] = -r[j, t] * r[t, j];
                }
        var probabilities = new double[k];
        Array.Fill(probabilities, 1.0 / k);
        for (var round = 0; round < Math.Max(100, k); round++)
        {
            var qp = new double[k];
            double pqp = 0;
            for (var t = 0; t < k; t++)
            {
                for (var j = 0; j < k; j++) qp[t] += q[t, j] * probabilities[j];
                pqp += probabilities[t] * qp[t];
            }
            if (qp.All(v => Math.Abs(v - pqp) < 0.005 / k)) break;
            for (var t = 0; t < k; t++)
            {
                var step = (pqp - qp[t]) / q[t, t];
                probabilities[t] += step;
                pqp = (pqp + step * (step * q[t, t] + 2 * qp[t])) / (1 + step) / (1 + step);
                for (var j = 0; j < k; j++)
                {
                    qp[j] = (qp[j] + step * q[t, j]) / (1 + step);
                    probabilities[j] /= 1 + step;
                }
            }
        }
        return probabilities;
    }

    /// <inheritdoc/>
    public override bool Compose(Composition to)
    {
        // Probabilities are coupled by an iteration.
        if (HasProbabilities || LinearScores.Rows(to) is not { } x || x.Shape![1].Constant is not { } features) return false;
        if (Vectors > 0 ? SupportVectors.Count != Vectors * features || Classes < 2 : Coefficients.Count != Classes * features) return false;
        Value scores, ranks;
        if (Vectors == 0)
        {
            scores = ranks = to.Add(new Gemm(TransB: true), x, to.Constant(Tensor.From(Coefficients.Span, new Shape(Classes, features))), to.Constant(Tensor.Vector(Rho[0])));
            if (Classes == 1) ranks = to.Add(new Cast(DType.Float32), to.Add(new Greater(), scores, to.Scalar(0)));
        }
        else
        {
            var (weights, wins, losses) = Pairs();
            scores = to.Add(new Gemm(), Kernel.Compose(to, x, SupportVectors, Vectors), to.Constant(weights), to.Constant(Tensor.Vector(Rho.Span[..Raw])));
            var won = to.Add(new Cast(DType.Float32), to.Add(new Greater(), scores, to.Scalar(0)));
            ranks = to.Add(new Gemm(), won, to.Constant(wins), to.Constant(losses));
        }
        if (Raw == 1 && Labels.Count == 2) scores = to.Add(new Concat(1), to.Add(new Neg(), scores), scores);
        return LinearScores.Compose(to, scores, Transform) is { } result && to.Set(1, result) && to.Set(0, Labels.Compose(to, ranks, Classes));
    }

    /// <summary>Coefficients [vectors, pairs]; what a pair that is won adds to the votes [pairs, classes], and the votes when all are lost.</summary>
    private (Tensor Weights, Tensor Wins, Tensor Losses) Pairs()
    {
        var (weights, wins, losses) = (new float[Vectors * Raw], new float[Raw * Classes], new float[Classes]);
        var (pair, first) = (0, 0);
        for (var i = 0; i < Classes; i++)
        {
            var second = first + (int)VectorsPerClass[i];
            for (var j = i + 1; j < Classes; j++, pair++)
            {
                for (var v = 0; v < VectorsPerClass[i]; v++) weights[(first + v) * Raw + pair] = Coefficients[(j - 1) * Vectors + first + v];
                for (var v = 0; v < VectorsPerClass[j]; v++) weights[(second + v) * Raw + pair] = Coefficients[i * Vectors + second + v];
                (wins[pair * Classes + i], wins[pair * Classes + j]) = (1, -1);
                losses[j]++;
                second += (int)VectorsPerClass[j];
            }
            first += (int)VectorsPerClass[i];
        }
        return (Tensor.From<float>(weights, new Shape(Vectors, Raw)), Tensor.From<float>(wins, new Shape(Raw, Classes)), Tensor.Vector<float>(losses));
    }
}
