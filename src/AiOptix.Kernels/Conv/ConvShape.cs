using System.Globalization;

namespace AiOptix.Kernels.Conv;

/// <summary>One spatial axis of a convolution.</summary>
/// <param name="Input">Input positions.</param>
/// <param name="Kernel">Taps.</param>
/// <param name="Stride">Input positions from one output to the next.</param>
/// <param name="Dilation">Input positions from one tap to the next.</param>
/// <param name="PadBegin">Zeros before the input.</param>
/// <param name="PadEnd">Zeros after it.</param>
public readonly record struct ConvAxis(int Input, int Kernel = 1, int Stride = 1, int Dilation = 1, int PadBegin = 0, int PadEnd = 0)
{
    /// <summary>An axis that the convolution does not have.</summary>
    public static ConvAxis None => new(1);

    /// <summary>Output positions: ⌊(Input + pads − ((Kernel − 1)·Dilation + 1)) / Stride⌋ + 1, at least 0.</summary>
    public int Output
    {
        get
        {
            var free = Input + PadBegin + PadEnd - (Kernel - 1) * Dilation - 1;
            return free < 0 ? 0 : free / Stride + 1;
        }
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"({Input} {Kernel} {Stride} {Dilation} {PadBegin} {PadEnd})");

    /// <summary>True when output and input positions are the same and no tap leaves the input.</summary>
    public bool IsIdentity => Kernel == 1 && Stride == 1 && PadBegin == 0 && PadEnd == 0;

    /// <summary>True when a window reaches beyond the input; a pad that no window sees needs none.</summary>
    internal bool IsPadded => PadBegin > 0 || Reach(Output) > Input;

    /// <summary>Input positions that some adjacent outputs see.</summary>
    internal int Reach(int outputs) => (outputs - 1) * Stride + (Kernel - 1) * Dilation + 1;

    /// <summary>True when a single output sees the whole input exactly once.</summary>
    public bool IsWhole => Kernel == Input && Dilation == 1 && PadBegin == 0 && PadEnd == 0;
}

/// <summary>
/// A convolution over one to three spatial axes with its channels last: X [Batch, depth, height, width, Channels], weights [OutputChannels, Channels / Groups, taps…], Y and residual
/// [Batch, outputs…, OutputChannels]. X and Y may be slices of channels of wider tensors.
/// </summary>
/// <param name="Batch">Images.</param>
/// <param name="Channels">Input channels of all groups.</param>
/// <param name="OutputChannels">Output channels of all groups.</param>
/// <param name="Groups">Groups; a divisor of both channel counts.</param>
/// <param name="Depth">The outer axis; <see cref="ConvAxis.None"/> below three axes.</param>
/// <param name="Height">The middle axis; <see cref="ConvAxis.None"/> below two axes.</param>
/// <param name="Width">The inner axis.</param>
public readonly record struct ConvShape(int Batch, int Channels, int OutputChannels, int Groups, ConvAxis Depth, ConvAxis Height, ConvAxis Width)
{
    /// <summary>Floats from a pixel of X to the next: Channels, or more where X is a slice.</summary>
    public int XPitch { get; init; } = Channels;

    /// <summary>Floats from a pixel of Y to the next.</summary>
    public int YPitch { get; init; } = OutputChannels;

    /// <summary>Floats from a pixel of the residual to the next.</summary>
    public int ResidualPitch { get; init; } = OutputChannels;

    /// <summary>True when X lies as [Batch, Channels, depth, height, width] instead, dense.</summary>
    public bool ReadsChannelsFirst { get; init; }

    /// <summary>All that it consists of: what it names is made for no other shape.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Batch} {Channels} {OutputChannels} {Groups} {Depth}{Height}{Width} {XPitch} {YPitch} {ResidualPitch}{(ReadsChannelsFirst ? " first" : "")}");

    /// <summary>The shape with every pixel's channels next to those of the pixel before.</summary>
    public ConvShape Dense() => this with { XPitch = Channels, YPitch = OutputChannels, ResidualPitch = OutputChannels };

    /// <summary>
    /// The shape with axes joined that nothing slides along, as one long line: a pointwise convolution, or one output that sees the whole input where its channels are a multiple of
    /// <paramref name="grain"/>.
    /// </summary>
    internal ConvShape Joined(int grain = 1)
    {
        if (ReadsChannelsFirst) return this;
        if (this is { Depth.IsIdentity: true, Height.IsIdentity: true, Width.IsIdentity: true })
            return this with { Batch = 1, Depth = ConvAxis.None, Height = ConvAxis.None, Width = new(checked(Batch * InputPixels)) };
        if (this is { Groups: 1, Depth.IsWhole: true, Height.IsWhole: true, Width.IsWhole: true } && XPitch == Channels && Channels % grain == 0)
            return new ConvShape(1, Terms, OutputChannels, 1, ConvAxis.None, ConvAxis.None, new(Batch)) { YPitch = YPitch, ResidualPitch = ResidualPitch };
        return this;
    }

    /// <summary>Input channels of a group.</summary>
    public int GroupChannels => Channels / Groups;

    /// <summary>Output channels of a group.</summary>
    public int GroupOutputs => OutputChannels / Groups;

    /// <summary>Positions of one input channel.</summary>
    public int InputPixels => checked(Depth.Input * Height.Input * Width.Input);

    /// <summary>Positions of one output channel.</summary>
    public int OutputPixels => checked(Depth.Output * Height.Output * Width.Output);

    /// <summary>Taps of one channel.</summary>
    public int Taps => checked(Depth.Kernel * Height.Kernel * Width.Kernel);

    /// <summary>Products summed for one output.</summary>
    public int Terms => checked(GroupChannels * Taps);
}
