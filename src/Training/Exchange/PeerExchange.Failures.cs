using System.Globalization;
using Distributed.Core.Events;
using Distributed.Core.Jobs;

namespace Distributed.Training.Exchange;

internal sealed unsafe partial class PeerExchange
{
    private void Refuse(PeerLink link, string what) => Fail(Error(
        ErrorCodes.Internal, link.Silo,
        $"silo {silos.Names[link.Silo]} sent {what}. The exchange ends before anything of it is added; "
        + "update all silos to one build and resume"));

    private void Fail(JobError error)
    {
        failure ??= error;
        Farewell();
        throw new JobErrorException(failure);
    }

    private JobError Lost(int silo, string reason) => Error(
        ErrorCodes.SiloLost, silo,
        $"the connection to silo {silos.Names[silo]} is lost ({reason}); {Outstanding(out _)}. Look at that silo's log, then resume");

    private JobError Late(TimeSpan patience)
    {
        var what = Outstanding(out var culprit);
        return Error(
            ErrorCodes.Deadline, culprit,
            $"no news for {patience.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture)} s; {what}. "
            + "Look at the late silo's log, then resume");
    }

    private JobError Error(string code, int silo, string message)
    {
        var bucket = FirstOpenBucket();
        var place = string.Create(
            CultureInfo.InvariantCulture,
            $"Step {step}, phase exchange{(bucket < 0 ? "" : $", bucket {bucket}")}, silo {silos.Names[silos.Index]}: ");
        return new JobError(
            code, $"{place}{message} from the last checkpoint.", new Rank(silos.FirstRanks[silo]), silos.Names[silo], "exchange", step);
    }

    private int FirstOpenBucket()
    {
        for (var i = 0; i < done.Length; i++)
            if (!done[i]) return plan.Slices[i].Bucket;
        return -1;
    }

    /// <summary>Who has not delivered what, and who has delivered all.</summary>
    private string Outstanding(out int culprit)
    {
        SortedSet<int> operands = [], sums = [], losses = [];
        for (var i = 0; i < done.Length; i++)
        {
            if (done[i]) continue;
            if (operandsMissing[i] < 0) sums.Add(plan.Slices[i].Owner);
            else
                for (var silo = 0; silo < plan.Silos; silo++)
                    if (silo != silos.Index && !HasOperands(i, silo)) operands.Add(silo);
        }
        for (var silo = 0; silo < plan.Silos; silo++)
            if (silo != silos.Index && !lossesGot[silo]) losses.Add(silo);
        // A silo that only owes sums may itself be waiting for another's operands.
        culprit = operands.Concat(sums).Concat(losses).Concat([silos.Index]).First();
        var parts = new List<string>();
        if (operands.Count > 0) parts.Add($"gradients are missing from silo {Names(operands)}");
        if (sums.Count > 0) parts.Add($"sums are missing from silo {Names(sums)}");
        if (losses.Count > 0) parts.Add($"losses are missing from silo {Names(losses)}");
        if (parts.Count == 0) parts.Add("all is here, but not all of this silo's own sums could be sent");
        var arrived = Enumerable.Range(0, plan.Silos)
            .Where(s => s != silos.Index && !operands.Contains(s) && !sums.Contains(s) && !losses.Contains(s)).ToList();
        if (arrived.Count > 0) parts.Add($"silo {Names(arrived)} has delivered all");
        return string.Join(", ", parts);
    }

    private string Names(IEnumerable<int> which) => string.Join(", ", which.Select(s => silos.Names[s]));

    /// <summary>Tells the others why, as far as they listen, and closes this side.</summary>
    private void Farewell()
    {
        if (ended) return;
        ended = true;
        var reason = PeerHandshake.WriteReason(failure!);
        var until = Environment.TickCount64 + FarewellMilliseconds;
        foreach (var link in links)
        {
            try
            {
                while (link.IsSending && Environment.TickCount64 < until)
                    if (!link.Send()) link.WaitToSend(FarewellMilliseconds);
                if (link.CanStart)
                {
                    reason.CopyTo(new Span<byte>(link.ScratchOut, reason.Length));
                    link.Start(
                        new FrameHeader
                        {
                            Kind = FrameKind.Abort,
                            Job = job,
                            Generation = (uint)silos.Generation.Value,
                            Step = step,
                            Sender = silos.Index,
                            PayloadBytes = reason.Length,
                        },
                        link.ScratchOut);
                    _ = link.Send();
                }
            }
            catch (IOException)
            {
                // Gone already: nobody is left to tell.
            }
            link.EndSending();
        }
    }
}
