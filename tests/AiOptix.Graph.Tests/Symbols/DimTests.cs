using FsCheck;
using FsCheck.Fluent;

namespace AiOptix.Graphs.Tests.Symbols;

/// <summary>The algebra of extents against plain integers: whatever form an expression takes, its value under an assignment is that of the arithmetic.</summary>
public class DimTests
{
    private static readonly string[] names = ["a", "b", "c"];

    /// <summary>An expression twice: as an extent, and as a function of the symbols' values.</summary>
    public sealed record Expression(Dim Dim, Func<IReadOnlyDictionary<string, long>, long> Value)
    {
        public override string ToString() => Dim.ToString();
    }

    [Fact]
    public void The_value_is_that_of_the_arithmetic() => Check(2000, (e, at) => e.Dim.Evaluate(at) == e.Value(at));

    [Fact]
    public void A_name_that_looks_like_an_expression_is_not_one()
    {
        var (n, m) = (Dim.Symbol("n"), Dim.Symbol("m"));
        Assert.NotEqual(n + m, Dim.Symbol("n+m"));
        Assert.NotEqual(n * 2L + m, Dim.Symbol("n+m") * 2L);
        Assert.NotEqual(Dim.Min(n, m), Dim.Symbol("min(n,m)"));
        Assert.NotEqual((Dim)2 * n, Dim.Symbol("2*n"));
        Assert.NotEqual(Dim.Symbol("a'+'b") + 1, Dim.Symbol("a") + Dim.Symbol("b") + 1);
        Assert.Equal("n+m", Dim.Symbol("n+m").ToString());
        Assert.Equal(Dim.Symbol("n+m"), Dim.Symbol("n+m"));
        Assert.Equal(1, (n + m - Dim.Symbol("n+m")).Evaluate(new Dictionary<string, long> { ["n"] = 2, ["m"] = 3, ["n+m"] = 4 }));
    }

    [Fact]
    public void Substituting_numbers_is_evaluating() => Check(1000, (e, at) =>
        e.Dim.Substitute(at.ToDictionary(p => p.Key, p => (Dim)p.Value)).Constant == e.Value(at));

    [Fact]
    public void What_is_called_non_negative_is() => Check(2000, (e, at) => !e.Dim.IsNonNegative || e.Value(at) >= 0);

    [Fact]
    public void Sums_and_products_have_one_form() =>
        Prop.ForAll(Three().ToArbitrary(), t =>
        {
            var (a, b, c) = t;
            return (a + b).Equals(b + a) && (a + b + c).Equals(a + (b + c)) && (a * b).Equals(b * a) && (a * (b + c)).Equals(a * b + a * c)
                && (a - a).Equals(Dim.Zero) && (a * 1).Equals(a) && (a * 0).Equals(Dim.Zero) && (a + b).GetHashCode() == (b + a).GetHashCode();
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300).WithQuietOnSuccess(true));

    [Fact]
    public void Exact_division_undoes_a_product() =>
        Prop.ForAll(Three().ToArbitrary(), Gen.Choose(1, 9).ToArbitrary(), (t, k) =>
        {
            Dim divisor = k * Dim.Symbol("a") * Dim.Symbol("z");
            return Dim.FloorDiv(t.Item1 * divisor, divisor).Equals(t.Item1) && Dim.Mod(t.Item1 * divisor, divisor).Equals(Dim.Zero);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(200).WithQuietOnSuccess(true));

    [Theory]
    [InlineData(7, 2, 3, 4)]
    [InlineData(-7, 2, -4, -3)]
    [InlineData(7, -2, -4, -3)]
    [InlineData(-7, -2, 3, 4)]
    public void Quotients_round_down_and_up(long a, long b, long floor, long ceiling)
    {
        Assert.Equal(floor, Dim.FloorDiv(a, b).Constant);
        Assert.Equal(ceiling, Dim.CeilDiv(a, b).Constant);
        Assert.Equal(a - floor * b, Dim.Mod(a, b).Constant);
    }

    [Fact]
    public void A_known_zero_divisor_is_an_error() => Assert.Throws<DivideByZeroException>(() => Dim.FloorDiv(Dim.Symbol("a"), 0));

    [Fact]
    public void Broadcasting_twice_adds_nothing()
    {
        Dim a = Dim.Symbol("a"), b = Dim.Symbol("b"), c = Dim.Symbol("c");
        var ab = Dim.Broadcast(a, b)!;
        Assert.Equal(ab, Dim.Broadcast(b, ab));
        Assert.Equal(Dim.Broadcast(ab, c), Dim.Broadcast(Dim.Broadcast(c, b)!, ab));
        Assert.Equal(7, Dim.Broadcast(ab, c)!.Evaluate(new Dictionary<string, long> { ["a"] = 1, ["b"] = 7, ["c"] = 1 }));
    }

    [Fact]
    public void Axes_broadcast_when_equal_or_one()
    {
        var a = Dim.Symbol("a");
        Assert.Equal(a, Dim.Broadcast(a, 1));
        Assert.Equal((Dim)5, Dim.Broadcast(5, 1));
        Assert.Null(Dim.Broadcast(5, 3));
        var both = Dim.Broadcast(a, Dim.Symbol("b"))!;
        Assert.Equal(4, both.Evaluate(new Dictionary<string, long> { ["a"] = 1, ["b"] = 4 }));
        Assert.Throws<Tensors.InvalidInputException>(() => both.Evaluate(new Dictionary<string, long> { ["a"] = 3, ["b"] = 4 }));
    }

    [Fact]
    public void A_symbol_without_a_value_is_an_error() => Assert.Throws<KeyNotFoundException>(() => (Dim.Symbol("a") + 1).Evaluate(new Dictionary<string, long>()));

    private static void Check(int tests, Func<Expression, IReadOnlyDictionary<string, long>, bool> property) =>
        Prop.ForAll(Expressions(4).ToArbitrary(), Assignments().ToArbitrary(), (e, at) => property(e, at))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(tests).WithQuietOnSuccess(true));

    private static Gen<(Dim, Dim, Dim)> Three() => Expressions(2).Three().Select(t => (t.Item1.Dim, t.Item2.Dim, t.Item3.Dim));

    private static Gen<IReadOnlyDictionary<string, long>> Assignments() =>
        Gen.Choose(0, 9).ArrayOf(names.Length).Select(v => (IReadOnlyDictionary<string, long>)names.Zip(v).ToDictionary(p => p.First, p => (long)p.Second));

    private static Gen<Expression> Expressions(int depth)
    {
        var leaf = Gen.OneOf(
            Gen.Elements(names).Select(n => new Expression(Dim.Symbol(n), at => at[n])),
            Gen.Choose(-3, 9).Select(v => new Expression(v, _ => v)));
        if (depth == 0) return leaf;
        var inner = Expressions(depth - 1);
        var positive = Gen.OneOf(
            Gen.Choose(1, 6).Select(v => new Expression(v, _ => v)),
            Gen.Elements(names).Select(n => new Expression(Dim.Symbol(n) + 1, at => at[n] + 1)));
        return Gen.OneOf(leaf,
            Two(inner, inner, (a, b) => a + b, (a, b) => a + b),
            Two(inner, inner, (a, b) => a - b, (a, b) => a - b),
            Two(inner, leaf, (a, b) => a * b, (a, b) => a * b),
            Two(inner, positive, Dim.FloorDiv, (a, b) => (long)Math.Floor((decimal)a / b)),
            Two(inner, positive, Dim.CeilDiv, (a, b) => (long)Math.Ceiling((decimal)a / b)),
            Two(inner, positive, Dim.Mod, (a, b) => ((a % b) + b) % b),
            Two(inner, inner, Dim.Min, Math.Min),
            Two(inner, inner, Dim.Max, Math.Max));
    }

    private static Gen<Expression> Two(Gen<Expression> left, Gen<Expression> right, Func<Dim, Dim, Dim> dim, Func<long, long, long> value) =>
        left.SelectMany(a => right.Select(b => new Expression(dim(a.Dim, b.Dim), at => value(a.Value(at), b.Value(at)))));

    [Fact]
    public void ACapOfTwoOrMoreDoesNotBiteWhereExtentsBroadcast()
    {
        var n = Dim.Symbol("n");
        Assert.Equal(n, Dim.Broadcast(Dim.Min(512, n), n));
        Assert.Equal(n, Dim.Broadcast(n, Dim.Min(n, 2)));
        Assert.NotEqual(n, Dim.Broadcast(n, Dim.Min(n, 1)));
        for (long size = 0; size < 6; size++)
        {
            long capped = Math.Min(3, size);
            if (capped == size || capped == 1 || size == 1)
                Assert.Equal(capped == 1 ? size : capped, Dim.Broadcast(Dim.Min(3, n), n)!.Evaluate(new Dictionary<string, long> { ["n"] = size }));
        }
    }
}
