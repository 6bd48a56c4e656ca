using System.Collections.Concurrent;
using System.Collections.Immutable;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Core.Spec;
using Distributed.Core.Stepping;
using Distributed.Training.Exchange;
using Distributed.Training.Loop;

namespace Distributed.Testing.Training;

/// <summary>
/// Runs a job on several silos in this process: real sockets on loopback, real ranks, decisions made on the spot and compared.
/// </summary>
internal static class SiloHarness
{
    /// <param name="shares">Ranks by silo.</param>
    /// <param name="factory">By silo: its exchange, in place of the sockets.</param>
    public static RunOutcome Run(
        JobSpec spec, int[] shares, TimeSpan? deadline = null, Func<int, IExchangeRendezvous, IExchangeFactory>? factory = null,
        string jobId = "test")
    {
        var directory = Directory.CreateTempSubdirectory("dtrain-test-").FullName;
        try
        {
            var events = new List<JobEvent>();
            using var meeting = new LocalRendezvous(shares.Length);
            var decider = new ComparingDecider(spec);
            var silos = shares.Select((ranks, i) => new SiloRankCount($"silo-{i}", ranks)).ToList();
            var results = new List<Task<RankResult>>();
            var sessions = new List<SiloSession>();
            for (int silo = 0, first = 0; silo < shares.Length; first += shares[silo++])
            {
                var place = meeting.Place(silo);
                var options = new SessionOptions
                {
                    JobId = JobId.Parse(jobId),
                    Generation = new(1),
                    Spec = spec,
                    Silo = silos[silo].Silo,
                    WorldSize = shares.Sum(),
                    Ranks = [.. Enumerable.Range(first, shares[silo]).Select(r => new RankSlot(new Rank(r), $"cpu:{r}"))],
                    Silos = silos,
                    CheckpointDirectory = directory,
                    StepDeadline = deadline ?? TimeSpan.FromMinutes(2),
                };
                var exchange = factory?.Invoke(silo, place)
                    ?? new PeerExchangeFactory(place, new DirectWire(), spec.Workers.Overlap, _ => { });
                var session = new SiloSession(options, decider, new LockedSink(events), TimeProvider.System, exchange);
                sessions.Add(session);
                results.AddRange(options.Ranks.Select(r => session.RunRank(r.Rank)));
            }
            var ended = Task.WhenAll(results).Result;
            sessions.ForEach(s => s.Dispose());
            return new RunOutcome(events, ended);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private sealed class LockedSink(List<JobEvent> events) : IEventSink
    {
        public void Publish(JobEvent jobEvent)
        {
            lock (events) events.Add(jobEvent);
        }
    }

    /// <summary>Every silo must vote alike; the decision is a pure function of the vote.</summary>
    private sealed class ComparingDecider(JobSpec spec) : IStepDecider
    {
        private readonly ConcurrentDictionary<long, StepVote> votes = [];
        private readonly LocalDecider decider = new(spec);

        public StepDecision Decide(StepVote vote, long totalSteps)
        {
            Assert.Equal(votes.GetOrAdd(vote.Step, vote), vote);
            lock (decider) return decider.Decide(vote, totalSteps);
        }
    }
}

/// <summary>The first meeting of silos in one process.</summary>
internal sealed class LocalRendezvous(int silos) : IDisposable
{
    private readonly string[] endpoints = new string[silos];
    private readonly Barrier barrier = new(silos);
    private readonly ImmutableArray<byte> secret = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    public string[] Endpoints => endpoints;

    public void Dispose() => barrier.Dispose();

    public IExchangeRendezvous Place(int silo) => new At(this, silo);

    private sealed class At(LocalRendezvous meeting, int silo) : IExchangeRendezvous
    {
        public ExchangeMesh Meet(ExchangeOffer offer)
        {
            meeting.endpoints[silo] = offer.Endpoint;
            if (!meeting.barrier.SignalAndWait(TimeSpan.FromMinutes(5))) throw new JobException(ErrorCodes.Deadline, "a silo did not come");
            return new ExchangeMesh([.. meeting.endpoints], meeting.secret);
        }
    }
}
