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

    /// <summary>True when output and input positions are the same and no tap leaves the input.</summary>
    public bool IsIdentity => Kernel == 1 && Stride == 1 && PadBegin == 0 && PadEnd == 0;

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
