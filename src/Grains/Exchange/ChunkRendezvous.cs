using System.Collections.Immutable;
using Distributed.Core.Canonical;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;

namespace Distributed.Grains.Exchange;

/// <summary>
/// The exchange of one generation at the coordinator: gathers each slice from all silos and has it summed; refuses what does not belong.
/// </summary>
/// <remarks>
/// Not thread-safe: used in the turns of one grain, none of which adds a number. It keeps no time: a silo that has waited too long for
/// a sum says so and learns who is missing, because only silos know when one of them may be late for good reason.
/// </remarks>
internal sealed class ChunkRendezvous(JobId jobId, GenerationSetup setup, IChunkReducers reducers)
{
    private const int MostSteps = 2;

    private readonly ImmutableArray<string> silos = setup.Silos;
    private readonly List<StepGathering> steps = [];
    private readonly HashSet<string> joined = new(StringComparer.Ordinal);
    private readonly HashSet<string> left = new(StringComparer.Ordinal);

    /// <summary>By silo: the step it is at, how many of its slices it brought, and of how many it took the sum.</summary>
    private readonly (StepGathering? Step, int Brought, int Taken)[] places = new (StepGathering?, int, int)[setup.Silos.Length];
    private (string Silo, ExchangeLayout Layout)? first;
    private ExchangePlan? plan;
    private int window;
    private IChunkReducer? reducer;
    private JobError? closed;

    public Generation Generation => setup.Generation;

    /// <value>Chunks that were turned away.</value>
    public long Refused { get; private set; }

    /// <value>Steps of which something is kept.</value>
    public int Steps => steps.Count;

    /// <summary>A silo says how it cuts the gradient; before its first chunk.</summary>
    /// <returns>Why it may not take part; null when it may.</returns>
    public JobError? Join(Generation generation, string silo, ExchangeLayout layout)
    {
        if (closed is not null) return closed;
        if (Stranger(generation, silo) is { } strange) return Error(ErrorCodes.Internal, silo, null, strange);
        if (first is null)
        {
            if (layout.SiloEnds.Length != silos.Length)
                return Error(
                    ErrorCodes.Divergence, silo, null,
                    $"Silo {silo} deals the micro-batches to {layout.SiloEnds.Length} silos, generation {generation} has {silos.Length}.");
            try
            {
                reducer = reducers.Open(jobId, layout);
            }
            catch (ArgumentException e)
            {
                return Error(ErrorCodes.Internal, silo, null, $"Silo {silo} came with a layout that contradicts itself: {e.Message}.");
            }

            plan = ExchangePlan.For(layout.Elements, layout.SiloRuns());
            window = ChunkWindow.Of(plan);
            first = (silo, layout);
        }
        else if (first.Value.Layout.DifferenceTo(layout) is { } difference)
        {
            Close(Error(
                ErrorCodes.Divergence, silo, null,
                $"Silos {first.Value.Silo} and {silo} cut the gradient differently: {difference}. Run the same build in all silos."));
            return closed;
        }

        joined.Add(silo);
        return null;
    }

    /// <summary>Takes a silo's part of a slice; completes when the parts of all silos are summed.</summary>
    public Task<ExchangeReply> Add(ExchangeChunk chunk)
    {
        if (closed is not null) return Task.FromResult(new ExchangeReply(null, closed));
        if (Misfit(chunk) is { } misfit) return Refuse(chunk, misfit);
        var header = chunk.Header;
        var step = Enter(header);
        if (!SameBits(step.InverseScale, header.InverseScale) || !SameBits(step.MeanFactor, header.MeanFactor))
            return Differ(step, header);
        Take(header.Silo, header.Handled);
        var slice = step.Slices[header.Slice];
        slice.Add(header.Silo, chunk);
        places[header.Silo].Brought++;
        if (slice.Missing == 0) _ = Sum(slice, header);
        return slice.Answered();
    }

    /// <summary>A silo has waited too long for a sum: ends the exchange.</summary>
    /// <returns>Why, and who is missing.</returns>
    public JobError Late(Generation generation, string silo, long step, int slice, TimeSpan patience)
    {
        if (closed is not null) return closed;
        if (Stranger(generation, silo) is { } strange) return Error(ErrorCodes.Internal, silo, step, strange);
        var found = steps.Find(s => s.Step == step);
        var place = $"Step {step}, "
            + $"phase exchange{(plan is null || slice < 0 || slice >= plan.Slices.Count ? "" : $", bucket {plan.Slices[slice].Bucket}")}";
        var waited = $"{patience.TotalSeconds:0.###} s";
        var missing = silos.Where((_, i) => found is null || slice < 0 || slice >= found.Slices.Length || !found.Slices[slice].Has(i))
            .ToList();
        Close(missing.Count == 0
            ? Error(
                ErrorCodes.Deadline, silo, step,
                $"{place}: the gradients of all silos are here, but no sum reached silo {silo} for {waited}. "
                + "Look at the log of the silo of rank 0, which coordinates the job, then resume from the last checkpoint.")
            : Error(
                ErrorCodes.Deadline, missing[0], step,
                $"{place}: no gradients from silo {string.Join(", ", missing)} for {waited}{Arrived(missing)}. "
                + "Look at the log of the missing silo, then resume from the last checkpoint."));
        return closed!;
    }

    /// <summary>A silo brings and takes nothing more; when all have left, so does the reducer.</summary>
    /// <param name="reason">Set when it gives up: the exchange ends for all.</param>
    public void Leave(Generation generation, string silo, JobError? reason)
    {
        if (Stranger(generation, silo) is not null) return;
        left.Add(silo);
        if (reason is not null || left.Count == silos.Length)
            Close(reason ?? Error(ErrorCodes.Internal, null, null, $"The exchange of generation {Generation} has ended."));
    }

    /// <summary>Ends the exchange: silos that wait, and all to come, are answered with the reason.</summary>
    public void Close(JobError reason)
    {
        closed ??= reason;
        foreach (var slice in steps.SelectMany(s => s.Slices)) slice.Answer(new ExchangeReply(null, closed));
        steps.Clear();
        reducer?.Dispose();
    }

    private async Task Sum(SliceGathering slice, ChunkHeader header)
    {
        try
        {
            var sum = await reducer!.Reduce(slice.Chunks);
            if (!slice.Answer(new ExchangeReply(sum, null))) sum.Body!.Return();
        }
#pragma warning disable CA1031 // Nobody awaits this: whatever went wrong must reach the silos that wait.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Close(Error(
                ErrorCodes.Internal, null, header.Step,
                $"Step {header.Step}, phase exchange, slice {header.Slice}: the coordinator could not sum it: "
                + $"{e.GetType().Name}: {e.Message}"));
        }
    }

    /// <returns>What was found and what was expected; null when the chunk is the silo's next.</returns>
    private string? Misfit(ExchangeChunk chunk)
    {
        var header = chunk.Header;
        if (header.Generation != Generation) return $"found generation {header.Generation}, expected {Generation}";
        if (header.Silo < 0 || header.Silo >= silos.Length) return $"found silo {header.Silo}, expected 0 to {silos.Length - 1}";
        if (!joined.Contains(silos[header.Silo])) return $"found a chunk of silo {silos[header.Silo]}, expected it to join first";
        if (header.Slice < 0 || header.Slice >= plan!.Slices.Count)
            return $"found slice {header.Slice}, expected 0 to {plan!.Slices.Count - 1}";
        var (at, brought, taken) = places[header.Silo];
        var step = at;
        if (at is null || header.Step != at.Step)
        {
            if (NextStep(at) is { } expected && header.Step != expected) return $"found step {header.Step}, expected {expected}";
            if (at is not null && brought < at.Slices.Length)
                return $"found step {header.Step}, expected {at.Slices.Length - brought} more slices of step {at.Step}";
            step = steps.Find(s => s.Step == header.Step);
            if (step is null && steps.Count == MostSteps)
                return $"found step {header.Step}, expected one of {string.Join(", ", steps.Select(s => s.Step))}";
            taken = 0;
        }

        if (step is not null && step.Slices[header.Slice].Has(header.Silo))
            return $"found slice {header.Slice} of step {header.Step} again, expected each once";
        if (header.Handled < 0 || header.Handled > header.Slice || header.Slice >= Math.Max(taken, header.Handled) + window)
            return $"found slice {header.Slice} when {header.Handled} sums were taken, expected at most {window} on the way";
        return reducer!.Misfit(chunk);
    }

    /// <returns>The one step that a silo may open; null: any.</returns>
    private long? NextStep(StepGathering? at) => at is not null ? at.Step + 1 : steps.Count > 0 ? steps[0].Step : null;

    /// <summary>The step of a chunk that fits; the silo is then beyond the one before, and has taken its sums.</summary>
    private StepGathering Enter(ChunkHeader header)
    {
        if (places[header.Silo].Step is { } at)
        {
            if (at.Step == header.Step) return at;
            Take(header.Silo, at.Slices.Length);
            if (--at.Silos == 0) steps.Remove(at);
        }

        var step = steps.Find(s => s.Step == header.Step);
        if (step is null)
        {
            step = new StepGathering(header.Step, plan!.Slices.Count, silos.Length, header.InverseScale, header.MeanFactor, header.Silo);
            steps.Add(step);
        }

        places[header.Silo] = (step, 0, 0);
        return step;
    }

    private void Take(int silo, int until)
    {
        ref var place = ref places[silo];
        for (; place.Taken < until; place.Taken++) place.Step!.Slices[place.Taken].Taken();
    }

    private Task<ExchangeReply> Refuse(ExchangeChunk chunk, string misfit)
    {
        Refused++;
        chunk.ReturnReceived();
        var header = chunk.Header;
        var silo = header.Silo >= 0 && header.Silo < silos.Length ? silos[header.Silo] : null;
        return Task.FromResult(new ExchangeReply(null, Error(
            ErrorCodes.Internal, silo, header.Step,
            $"Step {header.Step}, phase exchange: the coordinator refused a chunk of silo {silo ?? $"{header.Silo}"}: {misfit}. "
            + $"Nothing of it was added; {Refused} refused so far. Run the same build in all silos and resume from the last checkpoint.")));
    }

    private Task<ExchangeReply> Differ(StepGathering step, ChunkHeader header)
    {
        Close(Error(ErrorCodes.Divergence, silos[header.Silo], step.Step, FormattableString.Invariant($"Step {step.Step}, phase exchange: ")
            + FormattableString.Invariant($"silos {silos[step.FirstSilo]} and {silos[header.Silo]} differ in the gradient's factors: ")
            + FormattableString.Invariant($"{step.InverseScale:R} * {step.MeanFactor:R} and {header.InverseScale:R} * ")
            + FormattableString.Invariant($"{header.MeanFactor:R}. Replicas have diverged; resume from the last checkpoint.")));
        return Task.FromResult(new ExchangeReply(null, closed));
    }

    private string? Stranger(Generation generation, string silo)
    {
        if (generation != Generation)
            return $"Silo {silo} came to the exchange of generation {generation}; the current one is {Generation}.";
        return silos.Contains(silo)
            ? null
            : $"Silo {silo} is not a member of generation {generation}; its members are {string.Join(", ", silos)}.";
    }

    private string Arrived(List<string> missing)
    {
        var arrived = silos.Except(missing).ToList();
        return arrived.Count == 0 ? "" : $"; silo {string.Join(", ", arrived)} arrived";
    }

    private static bool SameBits(float left, float right) => BitConverter.SingleToInt32Bits(left) == BitConverter.SingleToInt32Bits(right);

    private static JobError Error(string code, string? silo, long? step, string message) =>
        new(code, message, null, silo, "exchange", step);
}
