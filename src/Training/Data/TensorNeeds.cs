using System.Runtime.InteropServices;
using Distributed.Core.Checkpoints;
using Distributed.Core.DataSets;
using Distributed.Core.Models;

namespace Distributed.Training.Data;

/// <summary>What a model needs of ready-made samples.</summary>
/// <param name="Input">Shape of one sample as text for messages.</param>
/// <param name="Fits">Whether a sample's shape will do.</param>
/// <param name="InputDtype">Element type of x.</param>
/// <param name="Classes">Classes of a cross entropy; 0: labels are 0 or 1, one number a sample.</param>
/// <param name="Vocabulary">Token numbers end below this; 0: inputs are no tokens.</param>
/// <param name="LabelPerToken">Each token has a class number; otherwise each sample.</param>
internal sealed record TensorNeeds(
    string Input, Func<IReadOnlyList<long>, bool> Fits, TensorDtype InputDtype, int Classes, int Vocabulary, bool LabelPerToken = false)
{
    public bool BinaryLabels => Classes == 0;

    public static TensorNeeds Of(ModelContract model)
    {
        if (model.TakesTokens)
            return new(
                model.MostTokens is { } most ? $"1 to {most} tokens" : "[tokens]",
                shape => shape.Count == 1 && shape[0] > 0 && shape[0] <= (model.MostTokens ?? long.MaxValue),
                TensorDtype.I64, model.Classes, model.Vocabulary, model.Labels == LabelKind.ClassPerToken);
        return model.Shape is { } exact
            ? new($"[{string.Join(", ", exact)}]", shape => shape.SequenceEqual(exact), TensorDtype.F32, model.Classes, 0)
            : new(
                model.Elements is { } elements ? $"{elements} numbers" : "any shape",
                shape => model.Elements is null || Product(shape) == model.Elements, TensorDtype.F32, model.Classes, 0);
    }

    public void CheckFormats(string path, TensorEntry x, TensorEntry y)
    {
        if (x.Dtype != InputDtype || !Fits([.. x.Shape.Skip(1)]))
            throw DataFile.Invalid(path, $"tensor {x}", $"the model needs {InputDtype.Word()}, {Input} per sample");
        if (LabelPerToken)
        {
            if (y.Dtype != TensorDtype.I64 || !y.Shape.SequenceEqual(x.Shape))
                throw DataFile.Invalid(path, $"tensor {y}", "the model needs I64 of the shape of x, the token that follows each token");
            return;
        }

        if (Product(y.Shape.Skip(1)) != 1 || (!BinaryLabels && (y.Dtype != TensorDtype.I64 || y.Shape.Count != 1)))
            throw DataFile.Invalid(
                path, $"tensor {y}",
                BinaryLabels ? "the model needs one number per sample" : "the model needs I64, one class number per sample");
    }

    public void CheckTokens(string path, HostMemory tokens, TensorEntry x) =>
        CheckNumbers(path, tokens, "x", x.Elements / x.Shape[0], Vocabulary, $"model.vocab is {Vocabulary}");

    public void CheckLabels(string path, HostMemory labels, TensorEntry y)
    {
        if (!BinaryLabels)
        {
            CheckNumbers(
                path, labels, "y", y.Elements / y.Shape[0], Classes,
                LabelPerToken ? $"model.vocab is {Classes}" : $"the model has {Classes} classes");
            return;
        }

        for (var i = 0; i < y.Elements; i++)
        {
            var label = MemoryMarshal.Read<float>(labels.Slice(i * 4L, 4));
            if (label is not (>= 0 and <= 1)) throw DataFile.Invalid(path, $"y, sample {i}: label {label}, expected 0 to 1");
        }
    }

    private static void CheckNumbers(string path, HostMemory numbers, string tensor, long perSample, int bound, string why)
    {
        for (var i = 0L; i < numbers.Bytes / 8; i++)
        {
            var number = MemoryMarshal.Read<long>(numbers.Slice(i * 8, 8));
            if (number >= 0 && number < bound) continue;
            throw DataFile.Invalid(
                path, $"{tensor}, sample {i / perSample}, position {i % perSample}: {number}, expected 0 to {bound - 1}", why);
        }
    }

    private static long Product(IEnumerable<long> shape) => shape.Aggregate(1L, (product, size) => checked(product * size));
}
