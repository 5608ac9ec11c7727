using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Zoo;

/// <summary>
/// The head of <see cref="YoloV8N"/>. Output <c>output0</c> [batch, 84, places] holds centre, extents and the scores of 80 classes for every place;
/// <c>detections</c> [found, 7] holds image, box, class and score of what non-maximum suppression leaves.
/// </summary>
internal static class DetectionHead
{
    private const int Classes = 80;
    private const int Bins = 16;
    private const int Most = 100;
    private const float Overlap = 0.7f;
    private const float Least = 0.25f;

    /// <summary>Few places have a score above the threshold, as in a trained model.</summary>
    private const float Rarity = -6f;

    public static void Add(Builder builder, Module head, Signal[] levels, int side)
    {
        var batch = head.Extent(builder.Input("images"), 0);
        var flat = levels.Select((level, i) => Level(head, level, i, batch)).ToArray();
        var parts = head.Split(head.Add(new Concat(2), flat), 1, 4 * Bins, Classes);
        var boxes = head.Add(new Mul(), Boxes(builder, head, Distances(head["dfl"], parts[0], batch), side), builder.Constant("/model.22/strides", () => Strides(side)));
        var scores = head.Add(new Sigmoid(), parts[1]);
        head.Output("output0", new Concat(1), boxes, scores);
        Suppress(builder.Root["nms"], boxes, scores);
    }

    /// <summary>Distances and classes of one level, [batch, 144, places].</summary>
    private static Value Level(Module head, Signal x, int level, Value batch)
    {
        var distance = Branch(head.ListItem("cv2", level), x, 64, 4 * Bins, 1);
        var classes = head.Add(new Add(), Branch(head.ListItem("cv3", level), x, Classes, Classes, 1), head.Number(Rarity));
        return head.Add(new Reshape(), head.Add(new Concat(1), distance, classes), head.Add(new Concat(0), batch, head.Integers(4 * Bins + Classes), head.Integers(-1)));
    }

    private static Value Branch(Module branch, Signal x, int width, int channels, double gain) =>
        branch[2].FoldedConvolution(YoloV8N.Unit(branch[1], YoloV8N.Unit(branch[0], x, width, 3), width, 3), channels, 1, gain: gain).Value;

    /// <summary>Expected distances to four sides: softmax over bins, then a convolution with 0 … 15; [batch, 4, places].</summary>
    private static Value Distances(Module module, Value x, Value batch)
    {
        var bins = module.Add(new Reshape(), x, module.Add(new Concat(0), batch, module.Integers(4), module.Integers(Bins), module.Integers(-1)));
        var likely = module.Add(new Softmax(1), module.Add(new Transpose([0, 2, 1, 3]), bins));
        var weight = module["conv"].Weight("weight", Tensor.From<float>([.. Enumerable.Range(0, Bins).Select(i => (float)i)], new Shape(1, Bins, 1, 1)));
        var expected = module["conv"].Add(new Conv([1, 1], [0, 0, 0, 0], [1, 1], 1), likely, weight);
        return module.Add(new Reshape(), expected, module.Add(new Concat(0), batch, module.Integers(4), module.Integers(-1)));
    }

    /// <summary>Centre and extents from distances to the sides.</summary>
    private static Value Boxes(Builder builder, Module head, Value distances, int side)
    {
        var places = builder.Constant("/model.22/anchors", () => Places(side));
        var sides = head.Split(distances, 1, 2, 2);
        var (low, high) = (head.Add(new Sub(), places, sides[0]), head.Add(new Add(), places, sides[1]));
        var centre = head.Add(new Div(), head.Add(new Add(), low, high), head.Number(2));
        return head.Add(new Concat(1), centre, head.Add(new Sub(), high, low));
    }

    private static void Suppress(Module module, Value boxes, Value scores)
    {
        var rows = module.Add(new Transpose([0, 2, 1]), boxes);
        var found = module.Add(new NonMaxSuppression(CenterPoint: true), rows, scores, module.Integers(Most), module.Scales(Overlap), module.Scales(Least));
        var image = module.Add(new Gather(1), found, module.Integers(0));
        var kind = module.Add(new Gather(1), found, module.Integers(1));
        var place = module.Add(new Gather(1), found, module.Integers(2));
        var box = module.Add(new GatherND(), rows, module.Add(new Concat(1), image, place));
        var score = module.Add(new Unsqueeze(), module.Add(new GatherND(), scores, found), module.Integers(1));
        module.Output("detections", new Concat(1), module.Add(new Cast(DType.Float32), image), box, module.Add(new Cast(DType.Float32), kind), score);
    }

    /// <summary>The centres of all places, level by level, in units of the level: [1, 2, places].</summary>
    private static Tensor Places(int side)
    {
        var centres = Levels(side).SelectMany(cells => Enumerable.Range(0, cells * cells).Select(i => (X: i % cells + 0.5f, Y: i / cells + 0.5f))).ToArray();
        return Tensor.From<float>([.. centres.Select(c => c.X), .. centres.Select(c => c.Y)], new Shape(1, 2, centres.Length));
    }

    /// <summary>How many pixels a unit of each place has: [1, places].</summary>
    private static Tensor Strides(int side)
    {
        float[] strides = [.. Levels(side).SelectMany(cells => Enumerable.Repeat((float)(side / cells), cells * cells))];
        return Tensor.From<float>(strides, new Shape(1, strides.Length));
    }

    private static int[] Levels(int side) => [side / 8, side / 16, side / 32];
}
