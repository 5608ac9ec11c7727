namespace AiOptix.Runtime;

/// <summary>Makes something ready that steps of a program need: the code of a kernel, which is compiled so that no run has to, or packed weights. It is done once, whoever asks first.</summary>
/// <param name="name">What is made ready; the same name stands for the same code.</param>
/// <param name="work">Makes it ready. May run at the same time as others.</param>
public sealed class Preparation(string name, Action work)
{
    private readonly Lock gate = new();
    private volatile bool done;

    /// <summary>What is made ready.</summary>
    public string Name => name;

    /// <summary>True when it is ready.</summary>
    public bool IsDone => done;

    /// <summary>Makes it ready, or waits for who is at it. What failed is tried again by the next.</summary>
    public void Run()
    {
        if (done) return;
        lock (gate)
        {
            if (done) return;
            work();
            done = true;
        }
    }
}
