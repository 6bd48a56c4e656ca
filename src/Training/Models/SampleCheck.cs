using Distributed.Core.DataSets;
using Distributed.Core.Jobs;
using Distributed.Core.Spec;
using Distributed.Training.Data;

namespace Distributed.Training.Models;

/// <summary>Holds the samples of a data set that was read against what the model takes.</summary>
internal static class SampleCheck
{
    /// <exception cref="JobException">Code <c>data-invalid</c>: the data set does not fit the model, both shapes named.</exception>
    public static void Demand(ModelSpec model, string data, IDataSplit split)
    {
        var needs = model.Options.Contract;
        var shape = split.Input.Shape;
        var (kind, label) = (needs.TakesTokens ? ElementKind.Int64 : ElementKind.Float32,
            needs.Labels == LabelKind.Binary ? ElementKind.Float32 : ElementKind.Int64);
        var fits = split.Input.Kind == kind && split.Label.Kind == label
            && (needs.Shape is null || shape.SequenceEqual(needs.Shape))
            && (needs.Elements is null || shape.Aggregate(1L, (a, b) => a * b) == needs.Elements);
        if (fits) return;
        var expected = needs.Shape is not null
            ? $"[{string.Join(", ", needs.Shape)}]"
            : needs.Elements is not null ? $"{needs.Elements} elements"
            : "any shape";
        throw new JobException(
            ErrorCodes.DataInvalid,
            $"Data '{data}' has {split.Input.Kind} samples of shape {shape} with {split.Label.Kind} labels; "
            + $"model '{model.Name}' takes {kind} samples of {expected} with {label} labels.");
    }
}
