namespace AiOptix.Threading;

/// <summary>
/// Sleeping on a 32-bit word until it changes. On Linux (x64, arm64) this is a futex, which costs nothing while nobody sleeps; elsewhere
/// it is a monitor. Neither allocates once every thread has slept a first time.
/// </summary>
/// <param name="portable">Use the monitor everywhere.</param>
internal sealed unsafe class Parking(bool portable)
{
    private readonly bool futex = !portable && OperatingSystem.IsLinux() && LinuxNative.FutexNumber >= 0;
    private readonly object monitor = new();

    /// <summary>Sleeps while the word holds the expected value; may also return without cause, so callers loop.</summary>
    internal void Wait(int* word, int expected)
    {
        if (OperatingSystem.IsLinux() && futex)
        {
            LinuxNative.FutexWait(word, expected);
            return;
        }
        lock (monitor)
        {
            if (Volatile.Read(ref *word) == expected) Monitor.Wait(monitor);
        }
    }

    /// <summary>Wakes at least <paramref name="count"/> of those who sleep on the word, which has changed before.</summary>
    internal void Wake(int* word, int count)
    {
        if (OperatingSystem.IsLinux() && futex)
        {
            LinuxNative.FutexWake(word, count);
            return;
        }
        lock (monitor) Monitor.PulseAll(monitor);
    }
}
