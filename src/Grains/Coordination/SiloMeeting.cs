using System.Collections.Immutable;
using System.Security.Cryptography;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;

namespace Distributed.Grains.Coordination;

/// <summary>
/// The first meeting of a generation: holds early silos until the last has come, then tells all of them where the others are.
/// </summary>
/// <remarks>Not thread-safe: used in the turns of one grain. The secret is made here and leaves in answers only.</remarks>
internal sealed class SiloMeeting(GenerationSetup setup, TimeProvider time)
{
    private const int SecretBytes = 32;

    private readonly ImmutableArray<byte> secret = [.. RandomNumberGenerator.GetBytes(SecretBytes)];
    private readonly Dictionary<string, (string Endpoint, string Fingerprint)> arrived = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource<MeetReply> waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private (string Silo, string Fingerprint)? first;
    private MeetReply? closed;

    /// <summary>Takes a silo's offer; the same one again gets the same answer.</summary>
    public Task<MeetReply> Meet(Generation generation, string silo, string endpoint, string fingerprint)
    {
        if (closed is not null) return Task.FromResult(closed);
        if (Strange(generation, silo, endpoint, fingerprint) is { } message)
            return Task.FromResult(MeetReply.Refused(Error(ErrorCodes.Internal, silo, message)));
        first ??= (silo, fingerprint);
        if (first.Value.Fingerprint != fingerprint) return Task.FromResult(Differ(silo, fingerprint));
        arrived[silo] = (endpoint, fingerprint);
        if (arrived.Count < setup.Silos.Length) return Wait();
        var met = new MeetReply([.. setup.Silos.Select(s => arrived[s].Endpoint)], secret, null);
        waiting.TrySetResult(met);
        return Task.FromResult(met);
    }

    /// <summary>Ends the meeting: silos that wait, and all to come, get the reason.</summary>
    public void Close(JobError reason) => Refuse(reason);

    private MeetReply Refuse(JobError reason)
    {
        closed ??= MeetReply.Refused(reason);
        waiting.TrySetResult(closed);
        return closed;
    }

    /// <returns>Why the offer is none of this meeting; null when it is.</returns>
    private string? Strange(Generation generation, string silo, string endpoint, string fingerprint)
    {
        if (generation != setup.Generation)
            return $"Silo {silo} came to the meeting of generation {generation}; the current one is {setup.Generation}.";
        if (!setup.Silos.Contains(silo))
            return $"Silo {silo} is not a member of generation {generation}; its members are {string.Join(", ", setup.Silos)}.";
        return arrived.TryGetValue(silo, out var known) && known != (endpoint, fingerprint)
            ? $"Silo {silo} came to the meeting of generation {generation} twice, first at '{known.Endpoint}', then at '{endpoint}'."
            : null;
    }

    private MeetReply Differ(string silo, string fingerprint) => Refuse(Error(
        ErrorCodes.Divergence, silo,
        $"Silos {first!.Value.Silo} and {silo} differ, so their bits could: \"{first.Value.Fingerprint}\" and \"{fingerprint}\". "
        + "Give them the same data and checkpoints, and run them on machines and builds that are alike."));

    private async Task<MeetReply> Wait()
    {
        var mine = waiting.Task;
        try
        {
            return await mine.WaitAsync(setup.MeetDeadline, time);
        }
        catch (TimeoutException) when (!mine.IsCompleted)
        {
            var missing = setup.Silos.Where(s => !arrived.ContainsKey(s)).ToList();
            return Refuse(Error(
                ErrorCodes.Deadline, missing[0],
                $"Start of generation {setup.Generation}: silo {string.Join(", ", missing)} has not come for "
                + $"{setup.MeetDeadline.TotalSeconds:0.###} s; silo {string.Join(", ", setup.Silos.Where(arrived.ContainsKey))} arrived. "
                + "Look at the log of the missing silo; reading its data may take too long."));
        }
        catch (TimeoutException)
        {
            // The last one came in the very moment the clock ran out.
            return await mine;
        }
    }

    private static JobError Error(string code, string silo, string message) => new(code, message, null, silo, "start", null);
}
