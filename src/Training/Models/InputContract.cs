using Distributed.Core.Jobs;
using Distributed.Training.Data;

namespace Distributed.Training.Models;

/// <summary>What one sample of a model's input must look like.</summary>
/// <param name="Kind">Element type.</param>
/// <param name="Shape">Exact shape; null: any.</param>
/// <param name="Elements">Elements a sample must have; null: any number.</param>
/// <param name="Label">Element type of the labels.</param>
internal sealed record InputContract(ElementKind Kind, long[]? Shape, long? Elements, ElementKind Label)
{
    /// <exception cref="JobException">Code <c>data-invalid</c>: the data set does not fit the model, both shapes named.</exception>
    public void Check(string model, string data, IDataSplit split)
    {
        var shape = split.Input.Shape;
        var fits = split.Input.Kind == Kind && split.Label.Kind == Label
            && (Shape is null || shape.SequenceEqual(Shape))
            && (Elements is null || shape.Aggregate(1L, (a, b) => a * b) == Elements);
        if (fits) return;
        var expected = Shape is not null ? $"[{string.Join(", ", Shape)}]" : Elements is not null ? $"{Elements} elements" : "any shape";
        throw new JobException(
            ErrorCodes.DataInvalid,
            $"Data '{data}' has {split.Input.Kind} samples of shape {shape} with {split.Label.Kind} labels; model '{model}' takes {Kind} samples of {expected} with {Label} labels.");
    }
}
