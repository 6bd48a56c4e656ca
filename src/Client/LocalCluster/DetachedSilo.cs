using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Distributed.Client.Outcomes;
using Distributed.Client.Silo;

namespace Distributed.Client.LocalCluster;

/// <summary>
/// A silo process that outlives the command which starts it, in a session of its own: no terminal's Ctrl-C and no closed window reaches it.
/// </summary>
internal sealed class DetachedSilo : IDisposable
{
    /// <summary>
    /// Notes who it is, then becomes the silo: the process id stays. It keeps none of the command's streams, or a shell that reads the
    /// command's output would wait for the silo's end.
    /// </summary>
    private const string Script =
        """umask 077; exec </dev/null >"$2" 2>>"$3" || exit 1; cat /proc/sys/kernel/random/boot_id "/proc/$$/stat" >"$1" || exit """
        + """1; exec setsid "$0" serve""";

    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(100);

    /// <summary>Of a silo that was never ready, so that no job is on it.</summary>
    private static readonly TimeSpan EndDeadline = TimeSpan.FromSeconds(10);

    private const string Libtorch = "DTRAIN_LIBTORCH";

    /// <summary>Settings of the shell that a silo of this machine keeps; the others are those of a client, or of another cluster.</summary>
    private static readonly string[] Kept = [Libtorch, "DTRAIN_MALLOC", "DTRAIN_TRACE", "DTRAIN_DEVICES"];

    private readonly Process process;
    private readonly SiloFiles files;
    private readonly long logBegin;

    private DetachedSilo(Process process, SiloFiles files, long logBegin) =>
        (this.process, this.files, this.logBegin) = (process, files, logBegin);

    /// <exception cref="CommandFailure">This machine cannot start it.</exception>
    public static DetachedSilo Start(string executable, ClusterFolder folder, SiloFiles files, int slots)
    {
        files.Forget();
        var logBegin = files.LogLength();
        try
        {
            return new(Process.Start(StartInfo(executable, folder, files, slots))!, files, logBegin);
        }
        catch (Win32Exception refused)
        {
            throw new CommandFailure(ExitCode.Failed, $"{files.Name} cannot be started with /bin/sh: {refused.Message}.");
        }
    }

    /// <summary>Waits until the silo has joined its cluster and answers calls.</summary>
    /// <exception cref="CommandFailure">It ended first, or kept silent past the deadline; the message names its log.</exception>
    public async Task ReadyAsync(TimeSpan deadline, TimeProvider time, CancellationToken cancel)
    {
        for (var begin = time.GetTimestamp(); files.Address() is null; await Task.Delay(LookAgain, time, cancel))
        {
            if (process.HasExited)
                throw new CommandFailure(
                    ExitCode.Failed, $"{files.Name} ended with {ExitWords.Describe(process.ExitCode)} before it was ready. {LastWords()}");
            if (time.GetElapsedTime(begin) > deadline)
                throw new CommandFailure(
                    ExitCode.Failed, $"{files.Name} ({process.Id}) was not ready within {deadline.TotalSeconds:0} s. {LastWords()}");
        }
    }

    /// <summary>Takes back a start that came to nothing.</summary>
    public async Task EndAsync(TimeProvider time)
    {
        if (!process.HasExited) process.Kill();
        await Task.WhenAny(process.WaitForExitAsync(), Task.Delay(EndDeadline, time));
        files.Forget();
    }

    public void Dispose() => process.Dispose();

    private static ProcessStartInfo StartInfo(string executable, ClusterFolder folder, SiloFiles files, int slots)
    {
        ProcessStartInfo start = new("/bin/sh", ["-c", Script, executable, files.Mark, files.Ready, files.Log])
        {
            UseShellExecute = false,
            WorkingDirectory = folder.Root,
        };
        var kept = Kept.Select(name => (Name: name, Value: Environment.GetEnvironmentVariable(name)))
            .Where(setting => !string.IsNullOrEmpty(setting.Value)).ToList();
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("DTRAIN_", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        // The silo works in another folder than the shell.
        foreach (var (name, value) in kept) start.Environment[name] = name == Libtorch ? Path.GetFullPath(value!) : value;
        start.Environment["DTRAIN_USERS_FILE"] = folder.UsersFile;
        start.Environment["DTRAIN_DATA_ROOT"] = folder.Data;
        start.Environment["DTRAIN_JOBS_ROOT"] = folder.Jobs;
        start.Environment["DTRAIN_SILO_NAME"] = files.Name;
        start.Environment["DTRAIN_SLOTS"] = slots.ToString(CultureInfo.InvariantCulture);
        // Members stand in a file under the jobs' folder: any silo may be lost. Loopback is the default of every address.
        start.Environment["DTRAIN_CLUSTERING"] = "files";
        start.Environment["DTRAIN_PORT"] = "0";
        SiloStartInfo.SetUp(start);
        return start;
    }

    private string LastWords() =>
        files.Tail(logBegin) is { Length: > 0 } tail ? $"Last lines of {files.Log}:\n{tail}" : $"Its log {files.Log} is empty.";
}
