namespace AiOptix.Runtime;

/// <summary>One step of a run, as it happened.</summary>
/// <param name="Step">The step.</param>
/// <param name="Bound">Its kernel; null for a managed step.</param>
/// <param name="Begin">When it began, in ticks of <see cref="System.Diagnostics.Stopwatch"/>.</param>
/// <param name="Elapsed">Wall time, that of the steps of subgraphs included.</param>
/// <param name="Depth">0 for a step of the program itself, one more for each subgraph around it. The steps of a subgraph are told of before the step that ran it.</param>
/// <param name="Cost">What it had to do, as far as that is known.</param>
public readonly record struct StepTiming(Step Step, BoundStep? Bound, long Begin, TimeSpan Elapsed, int Depth, StepCost Cost);

/// <summary>What a step has to do for the shapes of a run.</summary>
/// <param name="Flops">Floating-point operations, multiply and add counted apart; 0 when nobody knows.</param>
/// <param name="Bytes">Bytes of its inputs, outputs and packed weights, each read or written once; 0 when a shape was not known before the run.</param>
public readonly record struct StepCost(double Flops, long Bytes);
