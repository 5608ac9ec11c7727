using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Passes.Fuse;
using AiOptix.Tensors;
using static AiOptix.Passes.Tests.Rewriting;

namespace AiOptix.Passes.Tests.Fuse;

[TestsOf<GeluFusion>]
public class GeluFusionTests
{
    private const float HalfRoot = 0.70710678118f;
    private const float Root = 1.41421356237f;
    private const float Slope = 0.7978845608f;

    private readonly Graph graph = new("test");

    public static TheoryData<string> ErfForms => ["(x*s)*.5", "x*(s*.5)", "(x*.5)*s", "s*(.5*x)", ".5*(x*s)", "(x*s)/2", "x*(e*.5+.5)", "(x/2)*s"];

    [Theory, MemberData(nameof(ErfForms))]
    public void Erf_forms_become_Gelu(string form)
    {
        foreach (var divide in new[] { true, false })
        {
            var g = new Graph("test");
            var x = g.Add(new Neg(), g.Input("x", DType.Float32, N, 5));
            g.Returning(Form(g, x, g.Add(new Erf(), divide ? g.Add(new Div(), x, g.Number(Root)) : g.Add(new Mul(), g.Number(HalfRoot), x)), form));
            Assert.Single(g.Check(new GeluFusion()).Applied);
            Assert.Equal("Neg Gelu", g.Operators());
            Assert.Equal(new Gelu(), g.Nodes[1].Operator);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Tanh_forms_become_the_approximation(int form)
    {
        var x = graph.Add(new Neg(), graph.Input("x", DType.Float32, N, 5));
        Value Mul(Value a, Value b) => graph.Add(new Mul(), a, b);
        Value Plus(Value a, Value b) => graph.Add(new Add(), a, b);
        var k = graph.Number(0.044715f);
        var argument = form switch
        {
            0 => Mul(graph.Number(Slope), Plus(x, Mul(k, graph.Add(new Pow(), x, graph.Number(3))))),
            1 => Mul(Mul(x, graph.Number(Slope)), Plus(graph.Number(1), Mul(Mul(k, x), x))),
            _ => Mul(Plus(x, Mul(Mul(Mul(x, x), x), k)), graph.Number(Slope)),
        };
        graph.Returning(Form(graph, x, graph.Add(new Tanh(), argument), "(x*.5)*s"));
        Assert.Single(graph.Check(new GeluFusion()).Applied);
        Assert.Equal(new Gelu(TanhApproximation: true), graph.Nodes[1].Operator);
    }

    [Theory]
    [InlineData(DType.Float16, 2e-3)]
    [InlineData(DType.Float64, 1e-12)]
    public void Other_types_work_with_constants_of_their_own(DType type, double bound)
    {
        var x = graph.Add(new Neg(), graph.Input("x", type, N, 5));
        Value Number(double v) => graph.AddConstant(Reals.Write([v], type, Shape.Scalar));
        var s = graph.Add(new Add(), graph.Add(new Erf(), graph.Add(new Div(), x, Number(Math.Sqrt(2)))), Number(1));
        graph.Returning(graph.Add(new Mul(), graph.Add(new Mul(), x, s), Number(0.5)));
        Assert.Single(graph.Check(new GeluFusion(), bound).Applied);
    }

    [Fact]
    public void A_gate_around_it_stays()
    {
        var x = graph.Add(new Neg(), graph.Input("x", DType.Float32, N, 5));
        var gate = graph.Input("gate", DType.Float32, N, 5);
        var gelu = Form(graph, x, Curve(x), "(x*.5)*s");
        graph.Returning(graph.Add(new Mul(), gate, gelu));
        Assert.Single(graph.Check(new GeluFusion()).Applied);
        Assert.Equal("Neg Gelu Mul", graph.Operators());
    }

    [Fact]
    public void Wrong_constants_inputs_and_readers_are_left_alone()
    {
        var x = graph.Add(new Neg(), graph.Input("x", DType.Float32, N, 5));
        var other = graph.Input("other", DType.Float32, N, 5);
        var read = Curve(x);
        var handed = graph.Add(new Mul(), x, graph.Number(0.5f));
        graph.Returning(
            Form(graph, x, graph.Add(new Erf(), graph.Add(new Div(), x, graph.Number(1.4142f))), "(x*s)*.5"),
            Form(graph, x, graph.Add(new Erf(), graph.Add(new Mul(), x, graph.Number(0.7071f))), "(x*s)*.5"),
            Form(graph, x, graph.Add(new Tanh(), graph.Add(new Div(), x, graph.Number(Root))), "(x*s)*.5"),
            Form(graph, x, Curve(other), "(x*s)*.5"),
            Form(graph, x, Curve(x), "(x*s)*.4"),
            Form(graph, x, read, "(x*s)*.5"), graph.Add(new Relu(), read),
            graph.Add(new Mul(), handed, graph.Add(new Add(), Curve(x), graph.Number(1))), handed,
            Form(graph, x, graph.Add(new Erf(), graph.Add(new Add(), graph.Add(new Div(), x, graph.Number(Root)), graph.Number(0.01f))), "(x*s)*.5"));
        Assert.Empty(graph.Check(new GeluFusion()).Applied);
    }

    private Value Curve(Value x) => graph.Add(new Erf(), graph.Add(new Div(), x, graph.Number(Root)));

    private static Value Form(Graph g, Value x, Value e, string form)
    {
        Value Mul(Value a, Value b) => g.Add(new Mul(), a, b);
        var half = g.Number(0.5f);
        var s = form.Contains('s', StringComparison.Ordinal) ? g.Add(new Add(), g.Number(1), e) : null!;
        return form switch
        {
            "(x*s)*.5" => Mul(Mul(x, s), half),
            "(x*s)*.4" => Mul(Mul(x, s), g.Number(0.4f)),
            "x*(s*.5)" => Mul(x, Mul(s, half)),
            "(x*.5)*s" => Mul(Mul(x, half), s),
            "s*(.5*x)" => Mul(s, Mul(half, x)),
            ".5*(x*s)" => Mul(half, Mul(x, s)),
            "(x*s)/2" => g.Add(new Div(), Mul(x, s), g.Number(2)),
            "(x/2)*s" => Mul(g.Add(new Div(), x, g.Number(2)), s),
            _ => Mul(x, g.Add(new Add(), Mul(e, half), half)),
        };
    }
}
