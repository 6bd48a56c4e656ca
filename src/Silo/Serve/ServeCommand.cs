using System.Runtime.InteropServices;
using System.Text.Json;
using Distributed.Core;
using Distributed.Core.Events;
using Distributed.Silo.Ranks;
using Distributed.Training.Native;

namespace Distributed.Silo.Serve;

/// <summary>Runs one silo until it is told to leave.</summary>
internal static class ServeCommand
{
    public static async Task<int> Run(IReadOnlyList<string> arguments)
    {
        switch (arguments)
        {
            case []: return await ServeCluster();
            case ["--lifeline"]: return await ServeClient();
            default:
                await Console.Error.WriteLineAsync($"dtrain-silo serve: found '{string.Join(' ', arguments)}', expected nothing or --lifeline.");
                return 2;
        }
    }

    /// <summary>The silo of one client: lives as long as its stdin is open.</summary>
    private static async Task<int> ServeClient()
    {
        // The terminal signals its whole foreground group; only the client decides what that means.
        using var interrupt = Ignore(PosixSignal.SIGINT);
        using var terminate = Ignore(PosixSignal.SIGTERM);
        using var hangUp = Ignore(PosixSignal.SIGHUP);
        using var input = new StreamReader(Console.OpenStandardInput());
        try
        {
            var settings = ServeSettings.FromLifeline(await input.ReadLineAsync());
            var lifeline = Lifeline.Follow(input);
            NativeRuntime.Initialize();
            await using var app = await SiloApp.Start(settings, followTerminal: false);
            Announce(new ReadyLine(true, app.Address, Environment.ProcessId, null));
            await lifeline;
            app.Services.GetRequiredService<RankHost>().AbortAll(new JobError(
                ErrorCodes.Internal, $"Silo {settings.SiloName}: its client is gone.", null, settings.SiloName, null, null));
            await app.Stop();
            return 0;
        }
        catch (JobException e)
        {
            Announce(new ReadyLine(false, null, null, new ReadyError(e.Code, e.Message)));
            return 1;
        }
    }

    /// <summary>A silo of a cluster: leaves on SIGTERM.</summary>
    private static async Task<int> ServeCluster()
    {
        try
        {
            var settings = ServeSettings.FromEnvironment(Environment.GetEnvironmentVariable);
            NativeRuntime.Initialize();
            await using var app = await SiloApp.Start(settings, followTerminal: true);
            Announce(new ReadyLine(true, app.Address, Environment.ProcessId, null));
            await app.Ended();
            return 0;
        }
        catch (JobException e)
        {
            await Console.Error.WriteLineAsync($"dtrain-silo: {e.Message}");
            return 1;
        }
    }

    private static PosixSignalRegistration Ignore(PosixSignal signal) => PosixSignalRegistration.Create(signal, context => context.Cancel = true);

    private static void Announce(ReadyLine line)
    {
        Console.Out.WriteLine(JsonSerializer.Serialize(line, ServeJson.Default.ReadyLine));
        Console.Out.Flush();
    }
}
