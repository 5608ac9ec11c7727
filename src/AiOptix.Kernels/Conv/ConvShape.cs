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

/// <summary>Where the channels of a convolution's tensors lie. Weights are given as [OutputChannels, Channels / Groups, taps…] in every layout.</summary>
public enum ConvLayout
{
    /// <summary>X [Batch, Channels, depth, height, width] and Y [Batch, OutputChannels, outputs…], row-major; terms are added in the order channel, depth, height, width.</summary>
    ChannelsFirst,
    /// <summary>X [Batch, depth, height, width, Channels] and Y [Batch, outputs…, OutputChannels]; terms are added in the order depth, height, width, channel.</summary>
    ChannelsLast,
    /// <summary>X as in <see cref="ChannelsFirst"/>, Y and the order of terms as in <see cref="ChannelsLast"/>.</summary>
    FirstToLast,
}

/// <summary>A convolution over one to three spatial axes, as ONNX Conv defines it; the residual lies like Y.</summary>
/// <param name="Batch">Images.</param>
/// <param name="Channels">Input channels of all groups.</param>
/// <param name="OutputChannels">Output channels of all groups.</param>
/// <param name="Groups">Groups; a divisor of both channel counts.</param>
/// <param name="Depth">The outer axis; <see cref="ConvAxis.None"/> below three axes.</param>
/// <param name="Height">The middle axis; <see cref="ConvAxis.None"/> below two axes.</param>
/// <param name="Width">The inner axis.</param>
public readonly record struct ConvShape(int Batch, int Channels, int OutputChannels, int Groups, ConvAxis Depth, ConvAxis Height, ConvAxis Width)
{
    /// <summary>The layout; channels first unless <see cref="ChannelsLast"/> or <see cref="FirstToLast"/> made the shape.</summary>
    public ConvLayout Layout { get; private init; }

    /// <summary>Channels last: floats from a pixel of X to the next. At least Channels; more where X is a slice of channels.</summary>
    public int XPitch { get; private init; }

    /// <summary>Floats from a pixel of Y to the next, where channels lie last.</summary>
    public int YPitch { get; private init; }

    /// <summary>Floats from a pixel of the residual to the next, where channels lie last.</summary>
    public int ResidualPitch { get; private init; }

    /// <summary>The convolution with channels last; a pitch of 0 is that of a dense tensor.</summary>
    public ConvShape ChannelsLast(int xPitch = 0, int yPitch = 0, int residualPitch = 0) => this with
    {
        Layout = ConvLayout.ChannelsLast,
        XPitch = xPitch == 0 ? Channels : xPitch,
        YPitch = yPitch == 0 ? OutputChannels : yPitch,
        ResidualPitch = residualPitch == 0 ? OutputChannels : residualPitch,
    };

    /// <summary>The convolution that reads channels first and writes channels last; a pitch of 0 is that of a dense tensor.</summary>
    public ConvShape FirstToLast(int yPitch = 0, int residualPitch = 0) => ChannelsLast(0, yPitch, residualPitch) with { Layout = ConvLayout.FirstToLast };

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
