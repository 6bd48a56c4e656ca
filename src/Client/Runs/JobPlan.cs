using System.Globalization;
using Distributed.Core.Spec;
using Distributed.Core.Values;

namespace Distributed.Client.Runs;

/// <summary>What a job will take, computed from its file alone.</summary>
/// <param name="Ranks">In all.</param>
/// <param name="Silos">That hold them.</param>
/// <param name="RanksOfSilo">Of the silo that holds most.</param>
/// <param name="Need">Of that silo, at the least.</param>
/// <param name="Available">Bytes that such a silo may use.</param>
internal sealed record JobPlan(JobSpec Spec, int Ranks, int Silos, int RanksOfSilo, JobMemory Need, long Available)
{
    /// <summary>Most memory of a silo in a run of the first steps, in bytes.</summary>
    /// <value>Null: not measured.</value>
    public long? Measured { get; init; }

    public bool Fits => Math.Max(Need.Total, Measured ?? 0) <= Available;

    public static JobPlan Of(TrainPlan plan, long available)
    {
        var most = Enumerable.Range(0, plan.Silos).Max(plan.RanksOf);
        return new(plan.Spec, plan.Ranks, plan.Silos, most, JobMemory.Of(plan.Spec, most).Reading(plan.Spec.Data), available);
    }

    /// <summary>Lines for people: a label and what there is to say.</summary>
    public IEnumerable<(string Label, string Value)> Rows()
    {
        yield return ("model", Text(
            $"{Spec.Model.Name}, {Spec.Model.Options.ParameterCount:N0} parameters, {JobWords.Of(Spec.Precision)}, {Spec.Optimizer.Name}"));
        yield return ("ranks",
            Text($"{Ranks}, on {Silos} {(Silos == 1 ? "silo" : "silos")}{(Silos == 1 ? "" : $" of {RanksOfSilo} at most")}"));
        yield return ("step",
            Text($"{Spec.GlobalBatch} samples in {Spec.MicroBatches} ")
            + Text($"{(Spec.MicroBatches == 1 ? "micro-batch" : "micro-batches")} of {Spec.MicroBatch}"));
        yield return ("steps",
            Spec.Steps is { } steps ? Text($"{steps}") : Text($"{Spec.Epochs} epochs; their steps are known once the data is read"));
        yield return ("", "");
        yield return ("memory",
            $"of {(Silos == 1 ? "the silo" : "the silo with most ranks")}, at least; libraries and working memory are not included");
        yield return ("  weights", $"{MemorySize.Text(Need.Weights)}, with the optimizer's moments");
        yield return ("  gradients", MemorySize.Text(Need.Gradients));
        if (Need.Data > 0) yield return ("  data", MemorySize.Text(Need.Data));
        yield return ("  micro-batches", $"{MemorySize.Text(Need.Batches)}, one in use and one read ahead by each rank");
        yield return ("  activations", $"{MemorySize.Text(Need.Activations)}, what forward keeps for backward");
        yield return ("  in all", $"{MemorySize.Text(Need.Total)} of the {MemorySize.Text(Available)} that are available");
        if (Measured is { } peak)
            yield return ("  measured", $"{MemorySize.Text(peak)} at the peak of a silo process that ran the first steps");
        if (!Fits)
            yield return ("", Measured is null || Need.Total > Available
                ? "It does not fit: lower microBatch, the model's sizes or the ranks of a silo."
                : "It fits by its sizes, but not as measured: lower microBatch or the ranks of a silo.");
    }

    public object ForJson() => new
    {
        name = Spec.Name,
        parameters = Spec.Model.Options.ParameterCount,
        ranks = Ranks,
        silos = Silos,
        microBatches = Spec.MicroBatches,
        steps = Spec.Steps,
        memory = new
        {
            weights = Need.Weights,
            gradients = Need.Gradients,
            data = Need.Data,
            batches = Need.Batches,
            activations = Need.Activations,
            total = Need.Total,
        },
        measured = Measured,
        available = Available,
        fits = Fits,
    };

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
