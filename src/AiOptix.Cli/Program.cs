using System.Runtime.InteropServices;
using AiOptix.Cli;

using var cancel = new CancellationTokenSource();
void Stop(PosixSignalContext signal)
{
    // The first signal asks the command to end; a second one ends the process.
    if (cancel.IsCancellationRequested) return;
    signal.Cancel = true;
    cancel.Cancel();
}
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
return CommandLine.Run(args, Terminal.OfProcess(), cancel.Token);
