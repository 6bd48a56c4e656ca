using Distributed.Client.Cluster;
using Distributed.Client.Following;
using Distributed.Client.Outcomes;
using Distributed.Protocol.V1;
using Grpc.Core;

namespace Distributed.Client.LocalCluster;

/// <summary>
/// Starts the silos of a cluster of this machine that do not run; all are ready, or those that were started are ended again.
/// </summary>
internal sealed class ClusterUp(ClusterFolder folder, string executable, TextWriter error, TimeProvider time)
{
    /// <summary>Several at once on few cores.</summary>
    private static readonly TimeSpan ReadyDeadline = TimeSpan.FromMinutes(3);

    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(250);

    /// <param name="silos">Null: as before, or one.</param>
    /// <param name="slots">Null: as before, or an even share of the cores.</param>
    /// <exception cref="CommandFailure">The cluster could not be started, or other silos run than are asked for.</exception>
    public async Task<RunningCluster> RunAsync(int? silos, int? slots)
    {
        using var interruption = Interruption.Listen(time);
        try
        {
            folder.Open();
            using var held = await FolderLock.TakeAsync(folder, error, time, interruption.Asked);
            return await RunAsync(silos, slots, interruption.Asked);
        }
        catch (OperationCanceledException) when (interruption.Asked.IsCancellationRequested)
        {
            throw new CommandFailure(ExitCode.Interrupted, "Interrupted; the silos that were being started have been ended.");
        }
    }

    private async Task<RunningCluster> RunAsync(int? silos, int? slots, CancellationToken cancel)
    {
        await OtherMachine.RefuseAsync(folder, time, cancel);
        await LeavingSilos.AwaitAsync(folder.Silos(), SiloEndpoint.IsLeavingAsync, error, time, cancel);
        var running = folder.Silos().Count(silo => silo.ReadMark() is { IsAlive: true });
        var layout = ClusterLayout.Decide(folder.ReadLayout(), running, silos, slots, Environment.ProcessorCount);
        folder.Fill(Environment.UserName);
        folder.Write(layout);
        var all = Enumerable.Range(0, layout.Silos).Select(folder.Silo).ToList();
        var missing = all.Where(silo => silo.Address() is null).ToList();
        foreach (var silo in missing) await EndUnreadyAsync(silo);
        await StartAsync(missing, layout.Slots, all, cancel);
        return new RunningCluster(folder, layout, all, missing.Count);
    }

    /// <summary>An earlier command was killed while it started this one.</summary>
    private async Task EndUnreadyAsync(SiloFiles silo)
    {
        if (silo.ReadMark() is not { IsAlive: true } mark) return;
        await error.WriteLineAsync($"{silo.Name} ({mark.Id}) was never ready; it is ended and started again.");
        mark.End();
        for (var begin = time.GetTimestamp(); mark.IsAlive; await Task.Delay(LookAgain, time))
            if (time.GetElapsedTime(begin) > ReadyDeadline)
                throw new CommandFailure(ExitCode.Failed, $"{silo.Name} ({mark.Id}) does not end. See {silo.Log}.");
    }

    private async Task StartAsync(IReadOnlyList<SiloFiles> missing, int slots, IReadOnlyList<SiloFiles> all, CancellationToken cancel)
    {
        List<DetachedSilo> started = [];
        try
        {
            foreach (var silo in missing) started.Add(DetachedSilo.Start(executable, folder, silo, slots));
            using var failed = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            await Task.WhenAll(started.Select(silo => ReadyAsync(silo, failed)));
            await SeenAsync(all, cancel);
        }
        catch
        {
            await Task.WhenAll(started.Select(silo => silo.EndAsync(time)));
            throw;
        }
        finally
        {
            started.ForEach(silo => silo.Dispose());
        }
    }

    private async Task ReadyAsync(DetachedSilo silo, CancellationTokenSource failed)
    {
        try
        {
            await silo.ReadyAsync(ReadyDeadline, time, failed.Token);
        }
        catch (CommandFailure)
        {
            await failed.CancelAsync();
            throw;
        }
    }

    /// <summary>Waits until a job could have them all; this proves the token, too.</summary>
    private async Task SeenAsync(IReadOnlyList<SiloFiles> all, CancellationToken cancel)
    {
        var token = (await File.ReadAllTextAsync(folder.TokenFile, cancel)).Trim();
        using JobsConnection endpoint = new(new Uri(all[0].Address() ?? throw Lost(all[0])), token);
        for (var begin = time.GetTimestamp(); ; await Task.Delay(LookAgain, time, cancel))
        {
            var reply = await AskAsync(endpoint.Jobs, cancel);
            var unseen = all.Where(silo => reply is null || !reply.Silos.Any(seen => seen.Name == silo.Name && seen.Slots > 0)).ToList();
            if (unseen.Count == 0) return;
            if (unseen.Find(silo => silo.Address() is null) is { } lost) throw Lost(lost);
            if (time.GetElapsedTime(begin) > ReadyDeadline)
                throw new CommandFailure(
                    ExitCode.Failed,
                    $"{string.Join(", ", unseen.Select(silo => silo.Name))}: "
                    + $"not seen by {all[0].Name} within {ReadyDeadline.TotalSeconds:0} s. See {unseen[0].Log}.");
        }
    }

    private async Task<ClusterReply?> AskAsync(Jobs.JobsClient jobs, CancellationToken cancel)
    {
        try
        {
            return await jobs.ClusterAsync(new ClusterRequest(), JobsConnection.Within(time, cancel));
        }
        catch (RpcException refused) when (refused.StatusCode is StatusCode.Unauthenticated or StatusCode.PermissionDenied)
        {
            throw new CommandFailure(
                ExitCode.Usage,
                $"The silos do not know the token in {folder.TokenFile}: "
                + $"{refused.Status.Detail} Remove {folder.UsersFile}, and both are created again.");
        }
        catch (RpcException) when (!cancel.IsCancellationRequested)
        {
            return null;
        }
        catch (RpcException)
        {
            throw new OperationCanceledException(cancel);
        }
    }

    private static CommandFailure Lost(SiloFiles silo) =>
        new(ExitCode.Failed, $"{silo.Name} ended as soon as it was ready. See {silo.Log}.");
}

/// <summary>A cluster of this machine whose silos are all ready.</summary>
/// <param name="Started">Silos that this command started; 0: all ran already.</param>
internal sealed record RunningCluster(ClusterFolder Folder, ClusterLayout Layout, IReadOnlyList<SiloFiles> Silos, int Started)
{
    /// <summary>All endpoints: the client goes on to the next when one is lost.</summary>
    public string Addresses => string.Join(',', Silos.Select(silo => silo.Address()).OfType<string>());
}
