using System.Runtime.InteropServices;
using System.Text.Json;
using Distributed.Core.Jobs;
using Distributed.Core.Machine;
using Distributed.Silo.Failures;
using Distributed.Silo.Folders;
using Distributed.Silo.Lifecycle;
using Distributed.Silo.Ranks;
using Distributed.Silo.Settings;
using Distributed.Training.Native;

namespace Distributed.Silo.Hosting;

/// <summary>Runs one silo until it is told to leave.</summary>
internal static class ServeCommand
{
    /// <summary>An idle silo has some 260 open: most are libraries and the sockets of Orleans.</summary>
    private const int LeastOpenFiles = 512;

    public static async Task<int> Run(IReadOnlyList<string> arguments)
    {
        switch (arguments)
        {
            case []: return await ServeCluster();
            case ["--lifeline"]: return await ServeClient();
            default:
                await Console.Error.WriteLineAsync(
                    $"dtrain-silo serve: found '{string.Join(' ', arguments)}', expected nothing or --lifeline.");
                return 2;
        }
    }

    /// <summary>The silo of one client: lives as long as its stdin is open.</summary>
    /// <param name="more">Adds services that other silos do not have; null: none.</param>
    public static async Task<int> ServeClient(Action<IServiceCollection>? more = null)
    {
        // The terminal signals its whole foreground group; only the client decides what that means.
        using var interrupt = Ignore(PosixSignal.SIGINT);
        using var terminate = Ignore(PosixSignal.SIGTERM);
        using var hangUp = Ignore(PosixSignal.SIGHUP);
        using var input = new StreamReader(Console.OpenStandardInput());
        SiloApp app;
        Task lifeline;
        try
        {
            CheckOpenFiles();
            var settings = ServeSettings.FromLifeline(await input.ReadLineAsync());
            lifeline = Lifeline.Follow(input);
            // libtorch loads while the silo starts, which waits for it where it says what it can compute.
            var native = Task.Run(NativeRuntime.Initialize);
            try
            {
                app = await SiloApp.Start(settings, more);
            }
            finally
            {
                await native;
            }
        }
#pragma warning disable CA1031 // The process edge: the client waits for one line, whatever went wrong.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Announce(new ReadyLine(false, null, null, null, null, null, Describe(e)));
            return 1;
        }

        AnnounceReady(app);
        var ranks = app.Services.GetRequiredService<RankHost>();
        var code = await HostEnd.Await(lifeline, app.Services, Console.Error);
        await app.DisposeAsync();
        return End(code, ranks);
    }

    /// <summary>A rank that is still in a native call would crash when the libraries' own ends run beside it.</summary>
    private static int End(int code, RankHost ranks)
    {
        if (ranks.IsBusy) ProcessEnd.With(code);
        return code;
    }

    /// <summary>A silo of a cluster: on SIGTERM, Ctrl-C or SIGHUP it hands its jobs over and leaves; a second time at once.</summary>
    private static async Task<int> ServeCluster()
    {
        using var signals = LeaveSignals.Listen();
        try
        {
            CheckOpenFiles();
            foreach (var mistake in SiloVariables.Mistakes(Environment.GetEnvironmentVariables().Keys.OfType<string>()))
                await Console.Error.WriteLineAsync($"dtrain-silo: warning: {mistake}");
            var settings = ServeSettings.FromEnvironment(Environment.GetEnvironmentVariable);
            OwnFiles.Ensure();
            NativeRuntime.Initialize();
            RankHost ranks;
            int code;
            await using (var app = await SiloApp.Start(settings, leave: signals.Leave))
            {
                AnnounceReady(app);
                ranks = app.Services.GetRequiredService<RankHost>();
                code = await HostEnd.Await(HostEnd.When(signals.Leave), app.Services, Console.Error);
                if (code == 0) await app.Drain(settings.LongestDrain, signals.LeaveNow);
            }

            return End(code, ranks);
        }
        catch (JobException e)
        {
            await Console.Error.WriteLineAsync($"dtrain-silo: {e.Message}");
            return signals.Leave.IsCancellationRequested ? 0 : 1;
        }
    }

    /// <exception cref="JobException">Fewer than a silo needs.</exception>
    private static void CheckOpenFiles()
    {
        if (OpenFiles.Refuse("dtrain-silo", LeastOpenFiles) is { } refusal) throw new JobException(ServeErrors.SettingsInvalid, refusal);
    }

    private static ReadyError Describe(Exception e)
    {
        if (e is JobException job) return new ReadyError(job.Code, job.Message);
        Console.Error.WriteLine(e);
        return new ReadyError(ErrorCodes.Internal, $"{e.GetType().Name}: {e.Message}");
    }

    private static PosixSignalRegistration Ignore(PosixSignal signal) =>
        PosixSignalRegistration.Create(signal, context => context.Cancel = true);

    private static void AnnounceReady(SiloApp app) =>
        Announce(new ReadyLine(
            true, app.Address, Environment.ProcessId, NativeRuntime.Initialize().Fingerprint, app.Endpoint, app.Gateway, null));

    private static void Announce(ReadyLine line)
    {
        Console.Out.WriteLine(JsonSerializer.Serialize(line, ServeJson.Default.ReadyLine));
        Console.Out.Flush();
    }
}
