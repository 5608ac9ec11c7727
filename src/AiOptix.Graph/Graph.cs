using AiOptix.Tensors;

namespace AiOptix.Graphs;

/// <summary>
/// A model, or a branch or body inside one: inputs, constants, nodes in an order in which they can run, outputs. Portable: the logical layout of ONNX,
/// no machine in it. A subgraph's nodes may read values of the graphs around it.
/// </summary>
public sealed partial class Graph
{
    /// <summary>Integer vectors up to this length have their elements followed by shape inference.</summary>
    public const int MaxFollowedElements = 64;

    /// <summary>The longest expression of an extent, in characters, that shape inference follows.</summary>
    public const int MaxExpression = 512;

    private const string FreshPrefix = "_d";

    private readonly List<Node> nodes = [];
    private readonly List<Value> inputs = [];
    private readonly List<Value> outputs = [];
    private readonly Dictionary<string, Value> values = new(StringComparer.Ordinal);
    private readonly Dictionary<Dim, Dim> abbreviations = [];
    private readonly HashSet<string> reserved = new(StringComparer.Ordinal);
    private readonly HashSet<string> reservedSymbols = new(StringComparer.Ordinal);
    private readonly Dictionary<(Dim, Dim), DimConstraint> constraints = [];
    private readonly ConstantIndex constants = new();
    private int freshNames;
    private int freshSymbols;
    private bool isOutlined;

    /// <summary>Creates an empty graph; <paramref name="parent"/> is the graph around a subgraph.</summary>
    public Graph(string name, Graph? parent = null)
    {
        Name = name;
        Parent = parent;
    }

    /// <summary>The name.</summary>
    public string Name { get; set; }

    /// <summary>The graph around this one, or null.</summary>
    public Graph? Parent { get; }

    /// <summary>The nodes, each after those that it reads from.</summary>
    public IReadOnlyList<Node> Nodes => nodes;

    /// <summary>The inputs.</summary>
    public IReadOnlyList<Value> Inputs => inputs;

    /// <summary>The outputs.</summary>
    public IReadOnlyList<Value> Outputs => outputs;

    /// <summary>Every value by name.</summary>
    public IReadOnlyDictionary<string, Value> Values => values;

    /// <summary>The constants.</summary>
    public IEnumerable<Value> Constants => values.Values.Where(v => v.IsConstant);

    /// <summary>Where it came from and what its file says of itself. Only the file formats read it.</summary>
    public GraphMetadata Metadata { get; set; } = GraphMetadata.Empty;

    /// <summary>What is noted on it.</summary>
    public Annotation Annotation { get; set; } = Annotation.None;

    /// <summary>What must hold between extents whenever this graph runs; collected by the shape rules of its own nodes. Subgraphs have their own.</summary>
    public IReadOnlyCollection<DimConstraint> Constraints => constraints.Values;

    /// <summary>All nodes, those of subgraphs included.</summary>
    public IEnumerable<Node> AllNodes => nodes.SelectMany(n => n.Operator.Subgraphs.SelectMany(g => g.AllNodes).Prepend(n));

    /// <summary>Adds an input. Only an input of a subgraph may be without a type.</summary>
    public Value AddInput(string name, GraphType? type)
    {
        var v = Register(new Value(this, name, type));
        inputs.Add(v);
        return v;
    }

    /// <summary>Adds a constant; integer scalars and short vectors can be followed by shape inference.</summary>
    public Value AddConstant(Tensor tensor, string? name = null)
    {
        var v = new Value(this, Unique(name ?? "const"), new TensorType(tensor.DType, SymbolicShape.Of(tensor.Shape)), tensor)
        {
            Elements = ElementsOf(tensor),
        };
        constants.Add(v);
        return Register(v);
    }

    /// <summary>
    /// The oldest constant of this graph that is bitwise equal to a tensor. Found are only constants that say how a model is built rather than what it
    /// learned: integers and booleans of up to 1 KiB, and single numbers. Trained weights that happen to be equal are never taken for one another.
    /// </summary>
    public Value? FindConstant(Tensor tensor) => constants.Find(tensor);

    /// <summary>Adds a node at the end and infers the types of its outputs.</summary>
    /// <param name="op">The operator.</param>
    /// <param name="inputs">Its inputs, null where an optional one is left out.</param>
    /// <param name="outputNames">The names of its outputs; a null name gets a fresh one.</param>
    /// <param name="name">The node's name.</param>
    /// <exception cref="InvalidGraphException">The inputs contradict the operator's contract.</exception>
    public Node Add(Operator op, ReadOnlySpan<Value?> inputs, ReadOnlySpan<string?> outputNames, string? name = null)
    {
        var node = Create(op, inputs, outputNames, name);
        InsertAt(nodes.Count, [node]);
        return node;
    }

    /// <summary>Adds a node with one output and gives that output.</summary>
    public Value Add(Operator op, params ReadOnlySpan<Value?> inputs) => Add(op, inputs, [null]).Output;

    /// <summary>Declares an output.</summary>
    public void AddOutput(Value value)
    {
        outputs.Add(value);
        value.OutputUses++;
    }

    /// <summary>A symbol that no extent of the graph has yet.</summary>
    public Dim FreshSymbol()
    {
        if (Parent is not null) return Parent.FreshSymbol();
        string name;
        do name = $"{FreshPrefix}{freshSymbols++}";
        while (reservedSymbols.Contains(name));
        return Dim.Symbol(name);
    }

    /// <summary>
    /// The extent itself, or, when its expression is longer than <see cref="MaxExpression"/>, a symbol that stands for it from now on. Expressions that feed on each other
    /// can grow by a factor a layer; nothing is decided by one of that size.
    /// </summary>
    public Dim Bounded(Dim extent)
    {
        if (Parent is not null) return Parent.Bounded(extent);
        if (extent.IsConstant || extent.ToString().Length <= MaxExpression) return extent;
        if (!abbreviations.TryGetValue(extent, out var symbol)) abbreviations[extent] = symbol = FreshSymbol();
        return symbol;
    }

    /// <summary>The symbols that stand for expressions, see <see cref="Bounded"/>.</summary>
    public IEnumerable<(string Symbol, Dim Extent)> Abbreviations => abbreviations.Count == 0 ? [] : abbreviations.Where(a => a.Value.SymbolName is not null).Select(a => (a.Value.SymbolName!, a.Key));

    /// <summary>Keeps <see cref="FreshSymbol"/> from giving this name.</summary>
    public void ReserveSymbol(string name)
    {
        if (Parent is not null) Parent.ReserveSymbol(name);
        else reservedSymbols.Add(name);
    }

    /// <summary>Keeps <see cref="Unique"/> from giving this name, which a value added later will have.</summary>
    public void Reserve(string name) => reserved.Add(name);

    /// <summary>Takes a <see cref="Reserve"/> back.</summary>
    public void Release(string name) => reserved.Remove(name);

    /// <summary>Removes constants that nobody uses, those of subgraphs included.</summary>
    public void RemoveUnusedConstants()
    {
        foreach (var c in Constants.Where(c => c.IsUnused).ToArray()) DropUnusedConstant(c);
        foreach (var sub in nodes.SelectMany(n => n.Operator.Subgraphs)) sub.RemoveUnusedConstants();
    }

    /// <summary>True when an extent depends on a symbol that was made up where a shape rule could not tell.</summary>
    public static bool IsFresh(Dim dim) => dim.Symbols.Any(s => s.StartsWith(FreshPrefix, StringComparison.Ordinal));

    /// <summary>A value name that is still free, made from <paramref name="wanted"/>.</summary>
    public string Unique(string wanted)
    {
        if (!IsTaken(wanted)) return wanted;
        string name;
        do name = $"{wanted}.{++freshNames}";
        while (IsTaken(name));
        return name;
    }

    /// <summary>A copy that can be rewritten on its own; constants share their memory.</summary>
    public Graph Clone() => Clone(parent: null, []);

    /// <summary>A copy inside another graph. The map knows what stands for values around it; those that it does not know are read as they are.</summary>
    internal Graph Clone(Graph? parent, Dictionary<Value, Value> map)
    {
        var copy = new Graph(Name, parent) { Metadata = Metadata, Annotation = Annotation, freshNames = freshNames, freshSymbols = freshSymbols, isOutlined = isOutlined };
        foreach (var (key, c) in constraints) copy.constraints.Add(key, c);
        foreach (var (extent, symbol) in abbreviations) copy.abbreviations.Add(extent, symbol);
        foreach (var i in inputs) (map[i] = copy.AddInput(i.Name, i.Type!)).Annotation = i.Annotation;
        CopyInto(copy, map);
        return copy;
    }

    /// <summary>Copies constants, nodes and outputs; the map knows the copies of all other values that they read.</summary>
    private void CopyInto(Graph copy, Dictionary<Value, Value> map)
    {
        foreach (var c in Constants) (map[c] = copy.AddConstant(c.Constant!, c.Name)).Annotation = c.Annotation;
        foreach (var n in nodes)
        {
            var op = n.Operator.Subgraphs.Count == 0 ? n.Operator : n.Operator.WithSubgraphs([.. n.Operator.Subgraphs.Select(g => g.Clone(copy, map))]);
            var node = new Node(copy, n.Name, op, [.. n.Inputs.Select(v => v is null ? null : map.GetValueOrDefault(v, v))], n.Outputs.Count) { Origins = n.Origins, Contradiction = n.Contradiction, Position = n.Position, Annotation = n.Annotation };
            for (var i = 0; i < n.Outputs.Count; i++)
            {
                var o = n.Outputs[i];
                node.OutputArray[i] = map[o] = copy.Register(new Value(copy, o.Name, o.Type) { Producer = node, OutputIndex = i, Elements = o.Elements, Annotation = o.Annotation });
            }
            foreach (var v in node.Inputs) v?.AddUser(node);
            copy.nodes.Add(node);
        }
        foreach (var o in outputs) copy.AddOutput(map.GetValueOrDefault(o, o));
    }

    /// <summary>Runs the type and shape rules of every node again, subgraphs included.</summary>
    public void InferAll()
    {
        foreach (var n in nodes) Infer(n);
    }

    internal void AddConstraint(DimConstraint constraint)
    {
        constraints.TryAdd((constraint.Left, constraint.Right), constraint);
    }

    internal Node Create(Operator op, ReadOnlySpan<Value?> inputs, ReadOnlySpan<string?> outputNames, string? name)
    {
        var node = new Node(this, name ?? "", op, inputs, outputNames.Length);
        for (var i = 0; i < outputNames.Length; i++)
        {
            var v = new Value(this, outputNames[i] ?? Unique(op.Name), null) { Producer = node, OutputIndex = i };
            node.OutputArray[i] = Register(v);
        }
        if (node.Name.Length == 0) node.Name = outputNames.Length > 0 ? node.Output.Name : op.Name;
        foreach (var i in inputs) i?.AddUser(node);
        Infer(node);
        return node;
    }

    internal static void Infer(Node node)
    {
        if (!node.Operator.IsKnown || node.Inputs.Any(i => i is { Type: null })) return;
        foreach (var o in node.Outputs)
        {
            o.Type = null;
            o.Elements = null;
        }
        node.Contradiction = null;
        try
        {
            ApplyRule(node);
        }
        catch (InvalidGraphException e) when (node.Graph.Parent is not null || node.Graph.isOutlined)
        {
            node.Contradiction = e.Message;
            foreach (var o in node.Outputs) (o.Type, o.Elements) = (null, null);
        }
    }

    /// <summary>A rule reckons with whatever extents and attributes a file holds: what goes wrong names the node.</summary>
    private static void ApplyRule(Node node)
    {
        try
        {
            node.Operator.Infer(new InferenceContext(node));
        }
        catch (OverflowException e)
        {
            throw new InvalidGraphException($"node {node}: an extent or a number of elements does not fit into 63 bits", e);
        }
        catch (LimitExceededException e)
        {
            throw new LimitExceededException($"node {node}: {e.Message}", e);
        }
        catch (Exception e) when (e is not AiOptixException)
        {
            throw new InvalidGraphException($"node {node}: its inputs or attributes do not fit the operator: {e.Message}", e);
        }
        if (IsBlind(node)) return;
        for (var i = 0; i < node.Outputs.Count; i++)
            if (node.Outputs[i].Type is null) throw new InvalidGraphException($"node {node}: the operator has no output {i} ('{node.Outputs[i].Name}')");
    }

    /// <summary>True when types of its outputs follow from subgraphs that do not tell them.</summary>
    internal static bool IsBlind(Node node) => node.Operator.Subgraphs.Any(g => g.Outputs.Any(v => v.Type is null));

    /// <summary>Removes nodes whose outputs nobody uses, and what only they used. Gives the removed nodes.</summary>
    /// <param name="candidates">Where to look; nodes of other graphs are left alone.</param>
    /// <param name="released">If given, receives the values that lost a use and are still there.</param>
    public IReadOnlyList<Node> RemoveUnused(IEnumerable<Node> candidates, ICollection<Value>? released = null)
    {
        var dead = new HashSet<Node>();
        var work = new Stack<Node>(candidates.Where(n => n.Graph == this));
        while (work.TryPop(out var n))
        {
            if (!n.Operator.IsPure && n.Operator.IsKnown && n.Outputs.Count == 0) continue;
            if (!n.Outputs.All(o => o.IsUnused) || !dead.Add(n)) continue;
            var read = new List<Value>();
            for (var i = 0; i < n.Inputs.Count; i++)
            {
                if (n.Inputs[i] is { } input) read.Add(input);
                n.SetInput(i, null);
            }
            foreach (var sub in n.Operator.Subgraphs) ReleaseCaptures(sub, read);
            foreach (var o in n.Outputs) values.Remove(o.Name);
            foreach (var value in read)
            {
                if (value.IsUnused && value.Producer is { } p && p.Graph == this) work.Push(p);
                else if (!DropUnusedConstant(value)) released?.Add(value);
            }
        }
        if (dead.Count > 8) nodes.RemoveAll(dead.Contains);
        else
            foreach (var n in dead)
                if (IndexOf(n) is var at and >= 0) nodes.RemoveAt(at);
        return [.. dead];
    }

    /// <summary>Removes a constant that nobody uses any more from its graph.</summary>
    /// <returns>True when it is gone.</returns>
    internal static bool DropUnusedConstant(Value value)
    {
        if (!value.IsConstant || !value.IsUnused) return false;
        value.Graph.values.Remove(value.Name);
        value.Graph.constants.Remove(value);
        value.Constant!.Evict();
        return true;
    }

    /// <summary>Makes every use of one value a use of another, outputs included. The new value takes over the old one's name if the old one was an output.</summary>
    internal void ReplaceUses(Value old, Value replacement)
    {
        foreach (var user in old.Users.ToArray())
            for (var i = 0; i < user.Inputs.Count; i++)
                if (user.Inputs[i] == old) user.SetInput(i, replacement);
        if (old.OutputUses == 0) return;
        ReplaceOutputs(this, old, replacement);
    }

    internal void Forget(Node node)
    {
        for (var i = 0; i < node.Inputs.Count; i++) node.SetInput(i, null);
        foreach (var o in node.Outputs) values.Remove(o.Name);
    }

    private static void ReplaceOutputs(Graph graph, Value old, Value replacement)
    {
        for (var i = 0; i < graph.outputs.Count; i++)
        {
            if (graph.outputs[i] != old) continue;
            graph.outputs[i] = replacement;
            old.OutputUses--;
            replacement.OutputUses++;
            if (graph.Parent is null && graph == old.Graph && replacement.Graph == old.Graph) graph.SwapNames(old, replacement);
        }
        foreach (var sub in graph.nodes.SelectMany(n => n.Operator.Subgraphs)) ReplaceOutputs(sub, old, replacement);
    }

    private void SwapNames(Value a, Value b)
    {
        (a.Name, b.Name) = (b.Name, a.Name);
        (a.Annotation, b.Annotation) = (b.Annotation, a.Annotation);
        values[a.Name] = a;
        values[b.Name] = b;
    }

    private static void ReleaseCaptures(Graph sub, List<Value> read)
    {
        foreach (var o in sub.outputs)
        {
            if (o.Graph == sub) continue;
            o.OutputUses--;
            read.Add(o);
        }
        foreach (var n in sub.nodes)
        {
            foreach (var i in n.Inputs)
            {
                if (i is null || i.Graph == sub) continue;
                i.RemoveUser(n);
                read.Add(i);
            }
            foreach (var inner in n.Operator.Subgraphs) ReleaseCaptures(inner, read);
        }
    }

    private bool IsTaken(string name) => values.ContainsKey(name) || reserved.Contains(name) || (Parent?.IsTaken(name) ?? false);

    private Value Register(Value value)
    {
        if (!values.TryAdd(value.Name, value)) throw new InvalidGraphException($"graph '{Name}' has two values named '{value.Name}'; names must be unique");
        return value;
    }

    private static IReadOnlyList<Dim>? ElementsOf(Tensor t)
    {
        if (t.DType is not (DType.Int64 or DType.Int32) || t.Shape.Rank > 1 || t.Count > MaxFollowedElements) return null;
        return [.. t.ToInt64().Select(v => (Dim)v)];
    }
}

/// <summary>Two extents that must be equal in every run.</summary>
/// <param name="Left">One.</param>
/// <param name="Right">The other.</param>
/// <param name="What">Who says so, for messages.</param>
public sealed record DimConstraint(Dim Left, Dim Right, string What);

/// <summary>What a file says of itself.</summary>
/// <param name="IrVersion">The format version.</param>
/// <param name="Opsets">Operator set versions by domain.</param>
/// <param name="Producer">The program that wrote it.</param>
/// <param name="Properties">Free key-value pairs.</param>
public sealed record GraphMetadata(long IrVersion, IReadOnlyDictionary<string, long> Opsets, string Producer, IReadOnlyDictionary<string, string> Properties)
{
    /// <summary>Free text about the model.</summary>
    public string Documentation { get; init; } = "";

    /// <summary>The reversed domain name of who names the model.</summary>
    public string Domain { get; init; } = "";

    /// <summary>The version of the model.</summary>
    public long ModelVersion { get; init; }

    /// <summary>Nothing is known.</summary>
    public static GraphMetadata Empty { get; } = new(0, new Dictionary<string, long>(), "", new Dictionary<string, string>());
}
