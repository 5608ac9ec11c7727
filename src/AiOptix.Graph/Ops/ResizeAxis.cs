using AiOptix.Tensors;

namespace AiOptix.Graphs.Ops;

/// <summary>How <see cref="Resize"/> calculates elements.</summary>
public enum ResizeMode
{
    /// <summary>The nearest element.</summary>
    Nearest,
    /// <summary>Linear between two elements an axis.</summary>
    Linear,
    /// <summary>Cubic over four elements an axis.</summary>
    Cubic,
}

/// <summary>How <see cref="Resize"/> finds the place in the input that an output element stands for.</summary>
public enum ResizeCoordinates
{
    /// <summary>(x + 0.5) / scale - 0.5.</summary>
    HalfPixel,
    /// <summary>As half pixel, with the middles of input and output laid over each other.</summary>
    HalfPixelSymmetric,
    /// <summary>As half pixel, but 0 for a single output element.</summary>
    PytorchHalfPixel,
    /// <summary>The first and last elements of input and output lie over each other.</summary>
    AlignCorners,
    /// <summary>x / scale.</summary>
    Asymmetric,
    /// <summary>As align corners, within the region of interest.</summary>
    CropAndResize,
}

/// <summary>Which element is nearest.</summary>
public enum ResizeRounding
{
    /// <summary>Half goes down.</summary>
    PreferFloor,
    /// <summary>Half goes up.</summary>
    PreferCeil,
    /// <summary>The one below.</summary>
    Floor,
    /// <summary>The one above.</summary>
    Ceil,
}

/// <summary>How <see cref="Resize"/> reads given sizes.</summary>
public enum ResizeAspect
{
    /// <summary>As they are.</summary>
    Stretch,
    /// <summary>As upper bounds; the ratio of the extents is kept.</summary>
    NotLarger,
    /// <summary>As lower bounds; the ratio of the extents is kept.</summary>
    NotSmaller,
}

/// <summary>
/// One axis of a resize: for every output position which input positions it is a weighted sum of. Resizing is separable, so that applying the axes one
/// after the other is the whole operator.
/// </summary>
/// <param name="Taps">How many input positions an output position has.</param>
/// <param name="Positions">The input positions, <paramref name="Taps"/> an output position, within the input; -1 in the first place for one outside the region.</param>
/// <param name="Weights">Their weights.</param>
public sealed record ResizeAxis(int Taps, int[] Positions, double[] Weights)
{
    /// <summary>How many output positions there are.</summary>
    public int Output => Positions.Length / Taps;

    /// <summary>Calculates an axis.</summary>
    /// <param name="op">The operator.</param>
    /// <param name="input">The input's extent.</param>
    /// <param name="output">The output's extent.</param>
    /// <param name="scale">The scale of the axis, not rounded to whole extents.</param>
    /// <param name="start">Where the region of interest starts, relative to the extent.</param>
    /// <param name="end">Where it ends.</param>
    public static ResizeAxis Of(Resize op, int input, int output, double scale, double start = 0, double end = 1)
    {
        var reach = op.Mode switch { ResizeMode.Nearest => 0, ResizeMode.Linear => 1, _ => 2 };
        var stretch = op.Antialias && reach > 0 ? Math.Min(scale, 1) : 1;
        var first = reach == 0 ? 0 : (int)Math.Floor(-reach / stretch) + 1;
        var taps = reach == 0 ? 1 : 2 - 2 * first;
        var positions = new int[output * taps];
        var weights = new double[output * taps];
        for (var i = 0; i < output; i++)
        {
            var place = Place(op.Coordinates, i, input, output, scale, start, end);
            var p = positions.AsSpan(i * taps, taps);
            var w = weights.AsSpan(i * taps, taps);
            if (op.Coordinates == ResizeCoordinates.CropAndResize && (place < 0 || place > input - 1)) p.Fill(-1);
            else if (reach == 0)
            {
                p[0] = (int)Math.Clamp(Nearest(op.Rounding, place), 0, input - 1);
                w[0] = 1;
            }
            else Weigh(op, place, input, first, stretch, p, w);
        }
        return new(taps, positions, weights);
    }

    private static void Weigh(Resize op, double place, int input, int first, double stretch, Span<int> positions, Span<double> weights)
    {
        var below = (int)Math.Ceiling(place) - 1;
        double sum = 0;
        for (var t = 0; t < positions.Length; t++)
        {
            var at = below + first + t;
            var distance = Math.Abs(at - place) * stretch;
            var weight = op.Mode == ResizeMode.Linear ? Math.Max(0, 1 - distance) : Cubic(distance, op.CubicA);
            if (op.ExcludeOutside && (at < 0 || at >= input)) weight = 0;
            weights[t] = weight;
            sum += weight;
            positions[t] = Math.Clamp(at, 0, input - 1);
        }
        if ((op.Antialias || op.ExcludeOutside) && sum != 0)
            foreach (ref var w in weights) w /= sum;
    }

    private static double Cubic(double x, double a) =>
        x <= 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;

    private static double Nearest(ResizeRounding rounding, double place) => rounding switch
    {
        ResizeRounding.PreferFloor => Math.Ceiling(place - 0.5),
        ResizeRounding.PreferCeil => Math.Floor(place + 0.5),
        ResizeRounding.Floor => Math.Floor(place),
        _ => Math.Ceiling(place),
    };

    private static double Place(ResizeCoordinates coordinates, int x, int input, int output, double scale, double start, double end)
    {
        var width = scale * input;
        return coordinates switch
        {
            ResizeCoordinates.AlignCorners => width == 1 ? 0 : x * (input - 1) / (width - 1),
            ResizeCoordinates.Asymmetric => x / scale,
            ResizeCoordinates.PytorchHalfPixel when output <= 1 => 0,
            ResizeCoordinates.HalfPixelSymmetric => input / 2.0 * (1 - output / width) + (x + 0.5) / scale - 0.5,
            ResizeCoordinates.CropAndResize => width == 1 ? 0.5 * (start + end) * (input - 1) : start * (input - 1) + x * (end - start) * (input - 1) / (width - 1),
            _ => (x + 0.5) / scale - 0.5,
        };
    }
}
