namespace AiOptix.Kernels.Jit;

/// <summary>
/// A generated kernel: a function of one pointer to a struct of arguments that returns nothing. This class owns the calling convention of the system (System V or
/// Windows x64); a kernel may use rax, rcx, rdx, r8 to r10, the registers that it names, every vector and every mask register. <see cref="Arguments"/> holds the pointer.
/// </summary>
internal abstract class KernelGenerator(int vectorBytes)
{
    // Windows keeps the lower halves of xmm6 to xmm15 across calls.
    private const int FirstKept = 6, Kept = 10, LaneBytes = 16;

    /// <summary>Points to the arguments, from the first instruction to the last.</summary>
    protected const Gpr Arguments = Gpr.R11;

    /// <summary>Where instructions go.</summary>
    protected X64Encoder Code { get; } = new(vectorBytes);

    /// <summary>Registers that the kernel uses and that its caller keeps; saved around it.</summary>
    protected virtual ReadOnlySpan<Gpr> Saved => [];

    /// <summary>Writes the kernel, without prologue and epilogue.</summary>
    protected abstract void Body();

    /// <summary>The machine code of the kernel.</summary>
    /// <param name="isWindows">Which calling convention to follow.</param>
    public virtual ReadOnlySpan<byte> Generate(bool isWindows)
    {
        foreach (var register in Saved) Code.Push(register);
        if (isWindows)
        {
            Code.Add(Gpr.Rsp, -Kept * LaneBytes);
            for (var i = 0; i < Kept; i++) Code.Lower(VectorOp.Store, FirstKept + i, new(Gpr.Rsp, i * LaneBytes));
        }
        Code.Move(Arguments, isWindows ? Gpr.Rcx : Gpr.Rdi);
        Body();
        Code.ZeroUpper();
        if (isWindows)
        {
            for (var i = 0; i < Kept; i++) Code.Lower(VectorOp.Load, FirstKept + i, new(Gpr.Rsp, i * LaneBytes));
            Code.Add(Gpr.Rsp, Kept * LaneBytes);
        }
        for (var i = Saved.Length - 1; i >= 0; i--) Code.Pop(Saved[i]);
        Code.Return();
        return Code.Code;
    }
}
