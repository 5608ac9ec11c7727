using System.Runtime.CompilerServices;
using AiOptix.Kernels.Gemm;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Conv;

/// <summary>The reference: seven loops, one fused multiply-add each. A task is one output channel of one image.</summary>
internal sealed unsafe class ScalarConv(in ConvShape shape, string name) : ConvPlan(shape, name)
{
    public override long PackedWeightBytes => sizeof(float) * (long)Shape.OutputChannels * Shape.Terms;

    public override long ScratchBytes => 0;

    public override int Tasks => Shape.OutputPixels == 0 ? 0 : checked(Shape.Batch * Shape.OutputChannels);

    public override void PackWeights(float* weights, float* packed)
        => Buffer.MemoryCopy(weights, packed, PackedWeightBytes, PackedWeightBytes);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(in ConvCall call, int firstTask, int endTask, byte* scratch)
    {
        var finish = Epilogue.Select(call.Activation, 1);
        for (var task = firstTask; task < endTask; task++)
        {
            var image = task / Shape.OutputChannels;
            var output = task % Shape.OutputChannels;
            var x = call.X + ((nint)image * Shape.Channels + output / Shape.GroupOutputs * Shape.GroupChannels) * Shape.InputPixels;
            var w = call.PackedWeights + (nint)output * Shape.Terms;
            var y = call.Y + (nint)task * Shape.OutputPixels;
            for (var i = 0; i < Shape.OutputPixels; i++) y[i] = Sum(x, w, i);
            EpilogueTile e = default;
            e.Source = e.Destination = y;
            e.RowBias = call.Bias == null ? null : call.Bias + output;
            e.Residual = call.Residual == null ? null : call.Residual + (nint)task * Shape.OutputPixels;
            (e.Rows, e.Columns, e.Alpha, e.Args) = (1, Shape.OutputPixels, 1f, call.Args);
            finish(&e);
        }
    }

    private float Sum(float* x, float* w, int pixel)
    {
        ConvAxis depth = Shape.Depth, height = Shape.Height, width = Shape.Width;
        var column = pixel % width.Output * width.Stride - width.PadBegin;
        var row = pixel / width.Output % height.Output * height.Stride - height.PadBegin;
        var slice = pixel / width.Output / height.Output * depth.Stride - depth.PadBegin;
        var sum = V1.Zero;
        for (var c = 0; c < Shape.GroupChannels; c++)
        {
            for (var d = 0; d < depth.Kernel; d++)
            {
                for (var h = 0; h < height.Kernel; h++)
                {
                    for (var v = 0; v < width.Kernel; v++, w++)
                    {
                        int z = slice + d * depth.Dilation, i = row + h * height.Dilation, j = column + v * width.Dilation;
                        if ((uint)z >= (uint)depth.Input || (uint)i >= (uint)height.Input || (uint)j >= (uint)width.Input) continue;
                        sum = V1.Fma(new(*w), new(x[(((nint)c * depth.Input + z) * height.Input + i) * width.Input + j]), sum);
                    }
                }
            }
        }
        return sum.Value;
    }
}
