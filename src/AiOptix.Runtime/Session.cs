using System.Diagnostics;
using AiOptix.Graphs;
using AiOptix.Tensors;

namespace AiOptix.Runtime;

/// <summary>
/// A program with threads, ready to run. <see cref="Run(ReadOnlySpan{Tensor}, ReadOnlySpan{Tensor}, CancellationToken)"/> may be called from several threads at once. With outputs given by
/// the caller, and neither Reference steps nor shapes that depend on data, a run with shapes seen before allocates nothing.
/// </summary>
public sealed unsafe class Session : IDisposable
{
    private const int FewestBuffers = 16;

    private readonly IStepRunner runner;
    private readonly BufferPool pool;
    private readonly Stack<Frame> frames = new();
    private readonly Dictionary<Program, Session> inner = [];
    private readonly ProgramRunner runInner;
    private readonly Session? outer;
    private readonly SettledSessions? settled;
    private readonly int depth;
    private int running;
    private bool disposed;

    /// <summary>Creates a session that owns its runner, and has the code of the program's kernels made ready: no run compiles or waits for any.</summary>
    /// <param name="program">The program.</param>
    /// <param name="runner">What runs its steps.</param>
    /// <param name="settle">
    /// Compiles the model for the extents of its inputs, or gives null when that brings nothing; for models that leave open what only extents tell. Called in the first run with
    /// shapes not seen before, for a bounded number of them; others run <paramref name="program"/>.
    /// </param>
    public Session(Program program, IStepRunner runner, Func<IReadOnlyDictionary<string, long>, Program?>? settle = null) : this(program, runner, outer: null, depth: 0)
    {
        if (settle is not null) settled = new(this, settle);
    }

    private Session(Program program, IStepRunner runner, Session? outer, int depth)
    {
        Program = program;
        pool = new(Math.Max(FewestBuffers, 2 * program.Outputs.Count));
        this.runner = runner;
        this.outer = outer;
        this.depth = depth;
        runInner = (sub, inputs, cancellation) => inner[sub].Run(inputs, cancellation);
        runner.Prepare(program.Preparations);
        if (depth == 0) program.BindOnes();
        foreach (var sub in program.Steps.OfType<ControlFlowStep>().SelectMany(s => s.Programs)) inner[sub] = new Session(sub, runner, this, depth + 1);
    }

    /// <summary>The program.</summary>
    public Program Program { get; }

    /// <summary>How many threads take part in a run, the calling one included.</summary>
    public int Threads => runner.Workers;

    /// <summary>Called after each step when set; for profiles. Slows the run down.</summary>
    public Action<StepTiming>? StepDone
    {
        get => outer is null ? field : outer.StepDone;
        set;
    }

    /// <summary>Runs the program into memory of its own.</summary>
    /// <param name="inputs">The inputs in order. They are read in place and stay the caller's.</param>
    /// <param name="cancellation">Looked at between steps.</param>
    /// <returns>The outputs in order. Disposing of a tensor gives its memory back for a later run.</returns>
    /// <exception cref="InvalidInputException">An input is missing or has the wrong rank or shape, or holds values that an operator forbids.</exception>
    /// <exception cref="InputTypeException">An input has the wrong element type.</exception>
    /// <exception cref="LimitExceededException">The run asks for more than <see cref="Limits"/> allow.</exception>
    public RuntimeValue[] Run(ReadOnlySpan<RuntimeValue> inputs, CancellationToken cancellation = default)
    {
        var outputs = new RuntimeValue?[Program.OutputTable.Length];
        Run(inputs, outputs, cancellation);
        return outputs!;
    }

    /// <summary>Runs the program, some outputs into memory of the caller.</summary>
    /// <param name="inputs">The inputs in order.</param>
    /// <param name="outputs">The outputs in order: what is null gets memory of the session, what is not has the right type and shape and is written in place.</param>
    /// <param name="cancellation">Looked at between steps.</param>
    /// <exception cref="InvalidInputException">An input or output has the wrong rank or shape.</exception>
    /// <exception cref="InputTypeException">An input or output has the wrong element type.</exception>
    public void Run(ReadOnlySpan<RuntimeValue> inputs, Span<RuntimeValue?> outputs, CancellationToken cancellation = default)
    {
        if (settled?.Find(inputs) is { } other)
        {
            other.Run(inputs, outputs, cancellation);
            return;
        }
        CheckCount(outputs.Length);
        var frame = Rent();
        try
        {
            for (var i = 0; i < inputs.Length && i < Program.InputTable.Length; i++) frame.Values[Program.InputTable[i]] = inputs[i];
            for (var i = 0; i < outputs.Length; i++) frame.Values[Program.OutputTable[i]] = outputs[i];
            Run(frame, inputs.Length, cancellation);
            for (var i = 0; i < outputs.Length; i++)
            {
                var slot = Program.OutputTable[i];
                outputs[i] = frame.Values[slot];
                frame.Values[slot] = null;
            }
        }
        catch
        {
            GiveBack(frame, inputs, outputs);
            throw;
        }
        finally
        {
            Return(frame);
        }
    }

    /// <summary>Runs the program into memory of the caller.</summary>
    /// <param name="inputs">The inputs in order.</param>
    /// <param name="outputs">The outputs in order, with the right types and shapes.</param>
    /// <param name="cancellation">Looked at between steps.</param>
    /// <exception cref="InvalidInputException">An input or output has the wrong rank or shape.</exception>
    /// <exception cref="InputTypeException">An input or output has the wrong element type.</exception>
    public void Run(ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> outputs, CancellationToken cancellation = default)
    {
        if (settled?.Find(inputs) is { } other)
        {
            other.Run(inputs, outputs, cancellation);
            return;
        }
        CheckCount(outputs.Length);
        var frame = Rent();
        try
        {
            for (var i = 0; i < inputs.Length && i < Program.InputTable.Length; i++) frame.Values[Program.InputTable[i]] = inputs[i];
            for (var i = 0; i < outputs.Length; i++) frame.Values[Program.OutputTable[i]] = outputs[i];
            Run(frame, inputs.Length, cancellation);
        }
        finally
        {
            Return(frame);
        }
    }

    /// <summary>Runs a program of one input and one output straight over the caller's memory, which is pinned meanwhile.</summary>
    /// <param name="input">The input's elements, row-major.</param>
    /// <param name="inputShape">Its shape.</param>
    /// <param name="output">Where the output's elements go.</param>
    /// <param name="outputShape">Its shape.</param>
    /// <param name="cancellation">Looked at between steps.</param>
    /// <exception cref="InvalidInputException">The program has more inputs or outputs, or a length or shape does not fit.</exception>
    /// <exception cref="InputTypeException">An element type does not fit.</exception>
    public void Run<TIn, TOut>(ReadOnlySpan<TIn> input, Shape inputShape, Span<TOut> output, Shape outputShape, CancellationToken cancellation = default)
        where TIn : unmanaged where TOut : unmanaged
    {
        if (input.Length != inputShape.Count) throw new InvalidInputException($"{input.Length} elements do not fill the input shape {inputShape}");
        if (output.Length != outputShape.Count) throw new InvalidInputException($"{output.Length} elements do not fill the output shape {outputShape}");
        fixed (TIn* from = input)
        fixed (TOut* to = output)
        {
            using var x = Tensor.Borrow(from, DTypes.Of<TIn>(), inputShape);
            using var y = Tensor.Borrow(to, DTypes.Of<TOut>(), outputShape);
            Run([x], [y], cancellation);
        }
    }

    /// <summary>Runs with inputs and outputs by name.</summary>
    public IReadOnlyDictionary<string, RuntimeValue> Run(IReadOnlyDictionary<string, RuntimeValue> inputs, CancellationToken cancellation = default)
    {
        var ordered = new RuntimeValue[Program.InputTable.Length];
        for (var i = 0; i < ordered.Length; i++)
        {
            var slot = Program.SlotTable[Program.InputTable[i]];
            ordered[i] = inputs.TryGetValue(slot.Name, out var v) ? v : throw new InvalidInputException($"input '{slot.Name}' is missing; it should be {slot.Type}");
        }
        foreach (var name in inputs.Keys)
            if (Program.Inputs.All(i => Program.SlotTable[i].Name != name))
                throw new InvalidInputException($"the model has no input '{name}'; it has {string.Join(", ", Program.Inputs.Select(i => $"'{Program.SlotTable[i].Name}'"))}");
        var outputs = Run(ordered, cancellation);
        return Program.Outputs.Select((o, i) => (Program.SlotTable[o].Name, outputs[i])).ToDictionary(p => p.Name, p => p.Item2, StringComparer.Ordinal);
    }

    /// <summary>Waits for runs in flight and ends the threads.</summary>
    public void Dispose()
    {
        lock (frames)
        {
            if (disposed) return;
            disposed = true;
            while (running > 0) Monitor.Wait(frames);
            foreach (var f in frames) f.Free();
            frames.Clear();
        }
        pool.Close();
        foreach (var session in inner.Values) session.Dispose();
        settled?.Dispose();
        if (outer is null) runner.Dispose();
    }

    /// <summary>A session of another program on the same threads, which tells the same listener of its steps.</summary>
    internal Session Inside(Program program) => new(program, runner, this, depth);

    private void CheckCount(int outputs)
    {
        if (outputs != Program.OutputTable.Length)
            throw new InvalidInputException($"model '{Program.Name}' has {Program.OutputTable.Length} outputs, {outputs} buffers were given");
    }

    private void Run(Frame frame, int given, CancellationToken cancellation)
    {
        if (given != Program.InputTable.Length)
            throw new InvalidInputException($"model '{Program.Name}' takes {Program.InputTable.Length} inputs, {given} were given");
        if (depth > 0 || Program.Limits.MaxRunTime is not { } most)
        {
            RunSegments(frame, cancellation);
            return;
        }
        using var time = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        time.CancelAfter(most);
        try
        {
            RunSegments(frame, time.Token);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new LimitExceededException($"the run of model '{Program.Name}' took longer than {most} (Limits.MaxRunTime)", e);
        }
    }

    private void RunSegments(Frame frame, CancellationToken cancellation)
    {
        BindInputs(frame);
        for (var k = 0; k < Program.Segments.Count; k++)
        {
            var binding = k == 0 ? frame.FirstBinding! : Program.Bind(k, frame.Symbols);
            frame.Place(binding, runner.Workers);
            Provide(frame, binding);
            RunSegment(frame, binding, cancellation);
        }
    }

    /// <summary>Checks the inputs against the program; finds or makes the binding unless the shapes are those of the frame's last run.</summary>
    private void BindInputs(Frame frame)
    {
        var same = frame.FirstBinding is not null;
        for (var i = 0; i < Program.InputTable.Length; i++)
        {
            var slot = Program.SlotTable[Program.InputTable[i]];
            if (frame.Values[slot.Index] is not Tensor t)
            {
                if (slot.Type is TensorType) throw new InvalidInputException($"input '{slot.Name}' must be a tensor, {slot.Type}");
                continue;
            }
            if (t.DType != slot.DType) throw new InputTypeException($"input '{slot.Name}' must be {slot.DType.Name()}, found {t.DType.Name()}");
            if (slot.IsRaw) frame.Slots[slot.Index] = (nint)t.Pointer;
            if (frame.InputShapes[i] == t.Shape) continue;
            same = false;
            frame.InputShapes[i] = t.Shape;
        }
        if (same)
        {
            // What the last run learnt from data does not hold for this one.
            if (frame.Symbols.Count > frame.InputSymbols) InputShapes.Solve(Program, frame.InputShapes, frame.Symbols);
            return;
        }
        frame.FirstBinding = null;
        InputShapes.Solve(Program, frame.InputShapes, frame.Symbols);
        frame.InputSymbols = frame.Symbols.Count;
        frame.FirstBinding = Program.Bind(0, frame.Symbols);
    }

    /// <summary>Gives memory to the outputs and carried slots whose shape is known when a segment begins.</summary>
    private void Provide(Frame frame, SegmentBinding binding)
    {
        for (var i = 0; i < Program.OutputTable.Length; i++)
        {
            var o = Program.OutputTable[i];
            if (binding.Shape(o) is { } shape && frame.Slots[o] == 0) Point(frame, o, Accept(frame, o, shape));
        }
        foreach (var c in binding.Segment.Carried)
            if (binding.Shape(c) is { } shape) Point(frame, c, pool.Rent(Program.SlotTable[c].DType, shape));
        frame.PointAliases();
    }

    private Tensor Accept(Frame frame, int output, Shape shape)
    {
        var slot = Program.SlotTable[output];
        if (frame.Values[output] is not Tensor t) return pool.Rent(slot.DType, shape);
        if (t.DType != slot.DType) throw new InputTypeException($"the buffer for output '{slot.Name}' must be {slot.DType.Name()}, found {t.DType.Name()}");
        return t.Shape == shape ? t : throw new InvalidInputException($"the buffer for output '{slot.Name}' must have shape {shape}, found {t.Shape}");
    }

    private void Point(Frame frame, int slot, Tensor tensor)
    {
        frame.Values[slot] = tensor;
        if (Program.SlotTable[slot].IsRaw) frame.Slots[slot] = (nint)tensor.Pointer;
    }

    private void RunSegment(Frame frame, SegmentBinding binding, CancellationToken cancellation)
    {
        var listener = StepDone;
        var bounds = binding.Steps;
        var steps = Program.StepTable.AsSpan(binding.Segment.FirstStep, bounds.Length);
        for (var i = 0; i < bounds.Length; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            var begin = listener is null ? 0 : Stopwatch.GetTimestamp();
            if (bounds[i] is { } bound)
            {
                runner.Run(bound, frame.Slots, frame.Scratch, frame.ScratchStride);
                if (bound.Fault(frame.Slots) is { } fault) throw new InvalidInputException($"node '{steps[i].Name}' ({steps[i].Operation}): {fault}");
            }
            else
            {
                RunManaged(frame, binding, (ManagedStep)steps[i], cancellation);
            }
            listener?.Invoke(new(steps[i], bounds[i], begin, Stopwatch.GetElapsedTime(begin), depth, binding.Cost(steps[i])));
        }
    }

    private void RunManaged(Frame frame, SegmentBinding binding, ManagedStep step, CancellationToken cancellation)
    {
        var inputs = new RuntimeValue?[step.Inputs.Count];
        for (var i = 0; i < inputs.Length; i++)
            if (step.Inputs[i] >= 0) inputs[i] = frame.Read(step.Inputs[i], binding);
        var outputs = Managed(step, inputs, new(Program.Limits, runInner, cancellation));
        // A node may leave out the last outputs of its operator.
        for (var i = step.Outputs.Count; i < outputs.Count; i++) outputs[i].Dispose();
        for (var i = 0; i < Math.Min(outputs.Count, step.Outputs.Count); i++)
        {
            var slot = Program.SlotTable[step.Outputs[i]];
            var made = outputs[i] as Tensor;
            if (slot.Type is TensorType && made?.DType != slot.DType) throw new InvalidInputException($"node '{step.Name}' ({step.Operation}) made {outputs[i]} for '{slot.Name}'; expected {slot.Type}");
            if (made is not null && !inputs.Any(v => v is Tensor x && x.Pointer == made.Pointer)) frame.Held = Program.Limits.Charge(frame.Held, made, $"the run of model '{Program.Name}'");
            if (made is { } t && frame.Slots[slot.Index] != 0 && binding.Shape(slot.Index) is { } shape)
            {
                if (t.Shape != shape) throw new InvalidInputException($"node '{step.Name}' ({step.Operation}) made {t} for '{slot.Name}'; expected shape {shape}");
                using var view = Tensor.Borrow((void*)frame.Slots[slot.Index], slot.DType, shape);
                t.CopyTo(view);
                t.Dispose();
                continue;
            }
            Store(frame, slot, Keep(frame, outputs[i]));
        }
        GC.KeepAlive(inputs);
    }

    /// <summary>A managed step reckons with whatever values it meets: what goes wrong names the node.</summary>
    private static IReadOnlyList<RuntimeValue> Managed(ManagedStep step, RuntimeValue?[] inputs, ManagedContext context)
    {
        try
        {
            return step.Run(inputs, context);
        }
        catch (Exception e) when (e is not (AiOptixException or OperationCanceledException))
        {
            throw new InvalidInputException($"node '{step.Name}' ({step.Operation}): its inputs do not fit the operator: {e.Message}", e);
        }
    }

    /// <summary>A value that outlives the memory of intermediates: a managed step may hand on what it was given, and steps behind it use that memory anew.</summary>
    private static RuntimeValue Keep(Frame frame, RuntimeValue value) => value switch
    {
        Tensor t when frame.Holds(t) => t.Clone(),
        SequenceValue s => new SequenceValue([.. s.Items.Select(i => Keep(frame, i))]),
        OptionalValue { Content: { } content } => new OptionalValue(Keep(frame, content)),
        MapValue m => new MapValue((Tensor)Keep(frame, m.Keys), (Tensor)Keep(frame, m.Values)),
        _ => value,
    };

    private void Store(Frame frame, Slot slot, RuntimeValue value)
    {
        var root = Program.Root(slot.Index);
        if (value is Tensor t)
        {
            if (slot.Shape is { } s)
            {
                InputShapes.Match(s, t.Shape, frame.Symbols, $"'{slot.Name}'");
                Program.Derived.Evaluate(frame.Symbols);
            }
            if (frame.Values[root] is Tensor given && Program.SlotTable[root].Kind == SlotKind.Output)
            {
                Accept(frame, root, t.Shape);
                t.CopyTo(given);
                t.Dispose();
                value = given;
            }
            if (slot.IsRaw) frame.Slots[root] = (nint)((Tensor)value).Pointer;
        }
        frame.Values[root] = value;
    }

    // A run that fails hands out nothing: its own outputs go back to the pool at once.
    private void GiveBack(Frame frame, ReadOnlySpan<RuntimeValue> inputs, ReadOnlySpan<RuntimeValue?> given)
    {
        for (var i = 0; i < given.Length; i++)
            if (given[i] is null && frame.Values[Program.OutputTable[i]] is Tensor own && Program.SlotTable[Program.OutputTable[i]].Kind == SlotKind.Output && !inputs.Contains(own)) own.Dispose();
    }

    private Frame Rent()
    {
        lock (frames)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            running++;
            if (frames.TryPop(out var f)) return f;
        }
        return new Frame(Program);
    }

    private void Return(Frame frame)
    {
        frame.Clear();
        lock (frames)
        {
            frames.Push(frame);
            running--;
            Monitor.PulseAll(frames);
        }
    }
}
