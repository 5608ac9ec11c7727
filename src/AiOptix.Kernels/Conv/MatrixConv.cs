using System.Runtime.CompilerServices;
using AiOptix.Kernels.Gemm;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Conv;

/// <summary>
/// A convolution with one output position that sees the whole input: the product X[Batch, terms] · Wᵀ[terms, OutputChannels], with the output
/// channels along the vectors. Squeeze-and-excite blocks and classifiers written as convolutions are of this kind.
/// </summary>
internal sealed unsafe class MatrixConv : ConvPlan
{
    private readonly GemmPlan plan;

    public MatrixConv(in ConvShape shape, Target target, string name, GemmKernel kernel) : base(shape, name)
        => plan = new(new(shape.Batch, shape.OutputChannels, shape.Terms, PackedB: true), target, kernel);

    public override long PackedWeightBytes => plan.PackedBBytes;

    public override long ScratchBytes => plan.ScratchBytes;

    public override int Tasks => plan.Tasks;

    public static bool Suits(ConvShape shape) => shape is { Layout: ConvLayout.ChannelsFirst, Groups: 1, Depth.IsWhole: true, Height.IsWhole: true, Width.IsWhole: true };

    public override void PackWeights(float* weights, float* packed) => plan.PackB(weights, 1, Shape.Terms, packed);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(in ConvCall call, int firstTask, int endTask, byte* scratch)
    {
        var product = new GemmCall
        {
            A = call.X,
            ARowStride = Shape.Terms,
            B = call.PackedWeights,
            C = call.Y,
            CRowStride = Shape.OutputChannels,
            ColumnBias = call.Bias,
            Residual = call.Residual,
            ResidualRowStride = Shape.OutputChannels,
            Activation = call.Activation,
            Args = call.Args,
        };
        plan.Run(product, firstTask, endTask, scratch);
    }
}
