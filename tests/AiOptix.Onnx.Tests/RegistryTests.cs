using AiOptix.Graphs;

namespace AiOptix.Onnx.Tests;

public class RegistryTests
{
    [Fact]
    public void Every_operator_of_the_graph_can_be_written()
    {
        var operators = typeof(Operator).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(Operator)) && !t.IsAbstract && !t.IsSubclassOf(typeof(ForeignOperator)));
        var missing = operators.Where(t => OnnxRegistry.Find(t)?.Write is null).Select(t => t.Name).Order().ToArray();
        Assert.True(missing.Length == 0, "no row of the registry writes " + string.Join(", ", missing));
    }

    [Fact]
    public void Families_name_the_operators_that_they_hold()
    {
        foreach (var family in OnnxRegistry.Families)
            Assert.Equal(family.Rows.Select(r => r.Name).Where(n => n.Length > 0).Distinct().Order(StringComparer.Ordinal), family.Names);
        Assert.All(OnnxRegistry.All.Where(r => r.Name.Length > 0), r => Assert.Same(r, OnnxRegistry.Find(r.Domain, r.Name)));
        Assert.Null(OnnxRegistry.Find("", "Add Div"));
        Assert.Null(OnnxRegistry.Find("", ""));
    }

    [Fact]
    public void No_operator_has_two_rows()
    {
        Assert.Empty(OnnxRegistry.All.Where(r => r.Name.Length > 0).GroupBy(r => (r.Domain, r.Name)).Where(g => g.Count() > 1).Select(g => g.Key));
        Assert.Empty(OnnxRegistry.All.Where(r => r.Writes is not null).GroupBy(r => r.Writes).Where(g => g.Count() > 1).Select(g => g.Key!.Name));
    }
}
