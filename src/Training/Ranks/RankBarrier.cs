using System.Globalization;
using Distributed.Core.Jobs;

namespace Distributed.Training.Ranks;

/// <summary>
/// Where the ranks of a silo meet: the last to arrive runs an action, then all go on. Every wait has a deadline that names who is missing.
/// </summary>
internal sealed class RankBarrier(IReadOnlyList<Rank> ranks, string silo, TimeSpan deadline)
{
    /// <summary>Rounds to look without sleeping: a wake-up costs more than the usual difference between ranks.</summary>
    private const int Spins = 400;

    /// <summary>Every so many looks, another thread that waits for the core may run: ranks of other silos share it.</summary>
    private const int LooksToYield = 4;

    /// <summary>Deadlines that the last rank's work for all may take beyond the wait itself.</summary>
    private const int WorkForAll = 11;

    private const int RecheckMilliseconds = 1000;

    private readonly object gate = new();
    private readonly bool[] arrived = new bool[ranks.Count];
    private readonly bool spin = ranks.Count <= Environment.ProcessorCount;
    private int count;
    private int? acting;
    private int nudges;
    private int sleepers;
    private volatile int round;
    private volatile Exception? broken;

    /// <param name="index">Place of the caller among the silo's ranks.</param>
    /// <param name="phase">What is waited for, for messages.</param>
    /// <param name="last">Run once, by the last to arrive, before anyone goes on.</param>
    /// <param name="meanwhile">
    /// Work that a rank does while it waits, piece by piece; false: none at present. See <see cref="Nudge"/>.
    /// </param>
    /// <exception cref="StalledRankException">The deadline passed: which ranks did not arrive.</exception>
    /// <exception cref="SessionEndedException">Another rank failed, or the session was told to end.</exception>
    public void Meet(int index, string phase, long step, Action? last = null, Func<bool>? meanwhile = null)
    {
        int mine;
        lock (gate)
        {
            ThrowIfBroken();
            mine = round;
            arrived[index] = true;
            if (++count == ranks.Count) acting = index;
        }
        if (acting != index)
        {
            Wait(mine, phase, step, meanwhile);
            return;
        }
        last?.Invoke();
        lock (gate)
        {
            ThrowIfBroken();
            count = 0;
            acting = null;
            Array.Clear(arrived);
            round = mine + 1;
            Monitor.PulseAll(gate);
        }
    }

    /// <summary>Ends every wait, now and later, with the exception.</summary>
    public void Break(Exception reason)
    {
        lock (gate)
        {
            broken ??= reason;
            Monitor.PulseAll(gate);
        }
    }

    /// <summary>There is work for ranks that wait; by any thread.</summary>
    public void Nudge()
    {
        Interlocked.Increment(ref nudges);
        if (Volatile.Read(ref sleepers) == 0) return;
        lock (gate) Monitor.PulseAll(gate);
    }

    private void Wait(int mine, string phase, long step, Func<bool>? meanwhile)
    {
        for (var i = 0; spin && i < Spins; i++)
        {
            if (round != mine) return;
            if (meanwhile?.Invoke() == true) i = 0;
            if (i % LooksToYield == LooksToYield - 1) Thread.Yield();
            else Thread.SpinWait(20);
        }
        var waitUntil = Environment.TickCount64 + (long)deadline.TotalMilliseconds;
        for (var seen = Volatile.Read(ref nudges); round == mine; seen = Volatile.Read(ref nudges))
        {
            ThrowIfBroken();
            if (meanwhile?.Invoke() != true) Sleep(mine, phase, step, waitUntil, seen);
        }
    }

    /// <summary>Sleeps until the round is over, there is work, or it is time to look again.</summary>
    /// <param name="seen">Nudges before the caller last looked for work.</param>
    private void Sleep(int mine, string phase, long step, long waitUntil, int seen)
    {
        lock (gate)
        {
            Interlocked.Increment(ref sleepers);
            try
            {
                while (round == mine && nudges == seen)
                {
                    ThrowIfBroken();
                    var left = waitUntil - Environment.TickCount64;
                    // What one rank does for all (reading data, the coordinator's own deadline, saving) has its time on top.
                    if (acting is not null) left += (long)(WorkForAll * deadline.TotalMilliseconds);
                    if (left <= 0) throw Missing(phase, step);
                    Monitor.Wait(gate, (int)Math.Min(left, RecheckMilliseconds));
                }
            }
            finally
            {
                Interlocked.Decrement(ref sleepers);
            }
        }
    }

    private StalledRankException Missing(string phase, long step)
    {
        var late = acting is { } busy
            ? $"rank {ranks[busy]}, the last to arrive, is still at the work it does for all"
            : $"nothing from rank {string.Join(", ", ranks.Where((_, i) => !arrived[i]))}; "
                + $"rank {string.Join(", ", ranks.Where((_, i) => arrived[i]))} arrived";
        var culprit = acting ?? Array.IndexOf(arrived, false);
        return new StalledRankException(ranks[culprit], string.Create(
            CultureInfo.InvariantCulture,
            $"Step {step}, phase {phase}, silo {silo}: after {deadline.TotalSeconds:0} s {late}. See the runbook, \"stalled rank\"."));
    }

    /// <exception cref="SessionEndedException">The session has ended; looked at between pieces of work.</exception>
    public void ThrowIfBroken()
    {
        if (broken is { } reason) throw new SessionEndedException("The session ended while this rank was at work.", reason);
    }
}
