using System.Collections.Concurrent;
using System.Diagnostics;
using Distributed.Core.Canonical;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Training.Reduction;
using static Distributed.Training.Exchange.Posix;

namespace Distributed.Training.Exchange;

/// <summary>Reduce-scatter and all-gather between silos over sockets of their own, straight from and to native memory.</summary>
/// <remarks>
/// A pump: the thread that holds it looks at every link in turn and waits only when nothing moves. While ranks compute, a thread of the
/// exchange holds it; the last rank to come for the result takes it over, so that a small exchange costs no change of threads. Where each
/// rank has a core, the ranks that wait make sums for it (<see cref="SliceHelp"/>). All other state but the queue of released buckets
/// belongs to the pump's holder.
/// </remarks>
internal sealed unsafe partial class PeerExchange : IGradientExchange
{
    private const int RecheckMilliseconds = 1000;
    private const int FarewellMilliseconds = 100;

    /// <summary>
    /// How long the caller looks before it sleeps, in ticks of the stopwatch: where each rank has a core, and where they share.
    /// </summary>
    /// <remarks>Between looks it lets others run who wait for its core, so that looking takes time from nobody.</remarks>
    private static readonly long LongLook = Stopwatch.Frequency / 1000, ShortLook = Stopwatch.Frequency / 10_000;

    private readonly ExchangeJob exchangeJob;
    private readonly ExchangeBuffers buffers;
    private readonly SliceHelp help;
    private readonly ExchangePlan plan;
    private readonly ExchangeSilos silos;
    private readonly PeerLink[] links;
    private readonly PeerListener? listener;
    private readonly ulong job;
    private readonly bool spin;
    private readonly Lock pump = new();
    private readonly ConcurrentQueue<int> released = new();
    private readonly ManualResetEventSlim helperNeeded = new();
    private readonly Thread? helper;
    private readonly int wake = CreateEvent();
    private readonly int[] operandsMissing;
    private readonly ulong[] operandsGot;
    private readonly bool[] done;
    private readonly bool[] lossesGot;
    private readonly int[] partialBase;
    private volatile bool callerWants;
    private volatile bool asleep;
    private volatile bool ended;
    private volatile JobError? failure;
    private int releasedCount;
    private int disposed;
    private long step;
    private int slicesLeft;
    private int lossesLeft;
    private long lastNews;

    /// <param name="links">Proven connections to all other silos; taken over.</param>
    /// <param name="listener">Where strangers are turned away; taken over.</param>
    /// <param name="overlap">Buckets leave while ranks compute.</param>
    /// <param name="spin">
    /// Every runnable thread has a core, so waiting by looking costs no one anything, and ranks that wait can help.
    /// </param>
    public PeerExchange(
        ExchangeJob job, ExchangeBuffers buffers, IReadOnlyList<PeerLink> links, PeerListener? listener, bool overlap, bool spin)
    {
        (exchangeJob, this.buffers, plan, silos, this.listener, this.spin) = (job, buffers, buffers.Plan, buffers.Silos, listener, spin);
        help = new SliceHelp(buffers, job.Barrier, spin, WakeIfAsleep);
        this.links = [.. links];
        this.job = PeerHandshake.JobNumber(silos.JobId);
        operandsMissing = new int[plan.Slices.Count];
        operandsGot = new ulong[plan.Slices.Count];
        done = new bool[plan.Slices.Count];
        lossesGot = new bool[plan.Silos];
        partialBase = new int[plan.Silos + 1];
        for (var i = 0; i < plan.Silos; i++) partialBase[i + 1] = partialBase[i] + plan.Partials[i].Count;
        if (!overlap) return;
        helper = new Thread(Help) { IsBackground = true, Name = "exchange" };
        helper.Start();
    }

    public IReadOnlyList<BlockRun> Buckets => plan.Buckets;

    public SiloReports Reports => buffers.Reports;

    public void Begin(long step, GradientFactors factors)
    {
        lock (pump)
        {
            ThrowIfFailed();
            this.step = step;
            buffers.Begin(factors);
            help.Begin();
            slicesLeft = plan.Slices.Count;
            lossesLeft = plan.Silos - 1;
            releasedCount = 0;
            Array.Clear(done);
            Array.Clear(lossesGot);
            Array.Clear(operandsGot);
            foreach (var link in links) (link.IsParked, link.Room) = (false, 0);
            var remote = partialBase[^1] - plan.Partials[silos.Index].Count;
            // One more for the silo's own release.
            for (var i = 0; i < operandsMissing.Length; i++) operandsMissing[i] = plan.Reduces(silos.Index, i) ? remote + 1 : -1;
        }
    }

    public void Release(int bucket)
    {
        released.Enqueue(bucket);
        // With the last bucket the caller comes itself.
        if (helper is null || Interlocked.Increment(ref releasedCount) == plan.Buckets.Count) return;
        helperNeeded.Set();
        WakeIfAsleep();
    }

    public void Reduce(int rank, TimeSpan patience)
    {
        help.Join();
        exchangeJob.MeetForExchange(rank, step, () => Complete(patience), help.IsOn ? () => help.TryWork(rank) : null);
    }

    private void Complete(TimeSpan patience)
    {
        callerWants = true;
        WakeIfAsleep();
        try
        {
            lock (pump)
            {
                lastNews = Environment.TickCount64;
                foreach (var link in links) link.Outgoing.Enqueue(new OutgoingFrame(FrameKind.Losses, 0, 0));
                while (slicesLeft > 0 || lossesLeft > 0 || !IsFlushed())
                {
                    ThrowIfFailed();
                    Round(isCaller: true);
                    if (Environment.TickCount64 - lastNews > patience.TotalMilliseconds) Fail(Late(patience));
                }
            }
        }
        finally
        {
            callerWants = false;
        }
    }

    public void Abort(JobError reason)
    {
        failure ??= reason;
        Signal(wake);
        lock (pump) Farewell();
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref disposed, 1) == 1) return;
        // Without a failure the others have all they need: an end needs no reason.
        if (failure is null) ended = true;
        failure ??= new JobError(
            ErrorCodes.Internal, $"The exchange of silo {silos.Names[silos.Index]} has ended.", null, silos.Names[silos.Index], "exchange",
            null);
        Signal(wake);
        helperNeeded.Set();
        helper?.Join();
        listener?.Dispose();
        lock (pump)
        {
            ended = true;
            foreach (var link in links) link.Dispose();
        }
        _ = Close(wake);
        helperNeeded.Dispose();
        help.Dispose();
        buffers.Dispose();
    }

    private void WakeIfAsleep()
    {
        Interlocked.MemoryBarrier();
        if (asleep) Signal(wake);
    }

    private void ThrowIfFailed()
    {
        if (failure is { } error) throw new JobErrorException(error);
    }

    /// <summary>The exchange's own thread: moves it on between the first release and the caller's coming.</summary>
    private void Help()
    {
        while (failure is null)
        {
            helperNeeded.Wait();
            helperNeeded.Reset();
            lock (pump)
            {
                try
                {
                    while (!callerWants && failure is null && slicesLeft > 0) Round(isCaller: false);
                }
                catch (JobException)
                {
                    // Kept in `failure`; the rank that waits for the result throws it.
                }
            }
        }
    }

    /// <summary>One look at everything; waits when nothing moved.</summary>
    private void Round(bool isCaller)
    {
        long until = 0;
        for (var idle = 0; ; idle++)
        {
            var moved = false;
            while (released.TryDequeue(out var bucket))
            {
                TakeRelease(bucket);
                moved = true;
            }
            help.See();
            moved |= TakeHelp();
            foreach (var link in links) moved |= Move(link);
            if (moved || failure is not null) return;
            if (help.TryFold(out var slice, out var found))
            {
                Folded(slice, found);
                return;
            }
            if (!isCaller) break;
            if (slicesLeft == 0 && lossesLeft == 0 && IsFlushed()) return;
            if (spin && idle % 16 != 15) continue;
            var now = Stopwatch.GetTimestamp();
            if (until == 0) until = now + (spin ? LongLook : ShortLook);
            else if (now > until) break;
            Thread.Yield();
        }
        Sleep(isCaller);
    }

    private void Sleep(bool isCaller)
    {
        var entries = stackalloc PollEntry[links.Length + 1];
        var nothing = true;
        for (var i = 0; i < links.Length; i++) nothing &= links[i].Await(out entries[i]);
        entries[links.Length] = new PollEntry { Fd = wake, Wanted = PollIn };
        asleep = true;
        Interlocked.MemoryBarrier();
        if (nothing && released.IsEmpty && !help.HasNews && failure is null && (isCaller || !callerWants))
            _ = Poll(entries, (nuint)links.Length + 1, RecheckMilliseconds);
        asleep = false;
        for (var i = 0; i < links.Length; i++) links[i].Awoke(in entries[i]);
        if (entries[links.Length].Happened != 0) Consume(wake);
    }

    private bool Move(PeerLink link)
    {
        try
        {
            var moved = Send(link);
            if (!link.IsParked) moved |= Receive(link);
            return moved;
        }
        catch (IOException e)
        {
            if (Owes(link)) Fail(Lost(link.Silo, e.Message));
            // It has ended after this step, while others still exchange; a next step would find it gone.
            link.IsParked = true;
            return false;
        }
    }

    /// <summary>Whether the silo behind a link still has to give or take something in the open step.</summary>
    private bool Owes(PeerLink link)
    {
        if (link.IsSending || link.InBody || link.Outgoing.Count > 0 || !lossesGot[link.Silo]) return true;
        for (var i = 0; i < done.Length; i++)
        {
            if (done[i]) continue;
            var owner = plan.Slices[i].Owner;
            if (owner == link.Silo || owner == silos.Index) return true;
            if (owner is ExchangePlan.Everyone && !(HasOperands(i, link.Silo) && HasOperands(i, silos.Index))) return true;
        }
        return false;
    }

    private bool IsFlushed()
    {
        foreach (var link in links)
            if (link.IsSending || link.Outgoing.Count > 0) return false;
        return true;
    }
}
