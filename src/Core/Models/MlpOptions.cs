using Distributed.Core.DataSets;
using Distributed.Core.Documents;
using Distributed.Core.Options;
using Distributed.Core.Values;

namespace Distributed.Core.Models;

/// <summary>Linear layers with ReLU between them.</summary>
public sealed record MlpOptions : ModelOptions
{
    [Option("probability of zeroing an input of the last layer", Number = NumberKind.BelowOne)]
    public double Dropout { get; init; }

    [Option("the layer widths from input to output, such as [784, 2048, 10]", LeastItems = 2, Least = 1, Most = 1_000_000)]
    public required EquatableList<int> Sizes { get; init; } = new([]);

    public override ModelContract Contract => new()
    {
        Takes = FormattableString.Invariant($"{Inputs} numbers, such as an image"),
        Elements = Inputs,
        Labels = LabelKind.Class,
        Classes = Sizes.Count > 0 ? Sizes[^1] : 0,
    };

    public override double ParameterCount => Sizes.Zip(Sizes.Skip(1), (from, to) => (from + 1.0) * to).Sum();

    private int Inputs => Sizes.Count > 0 ? Sizes[0] : 0;

    public override double OutputCount(double tokens) => Sizes.Skip(1).Sum(size => (double)size);

    public override void CheckWith(IOptionErrors job, string name, DataContract data)
    {
        if (Sizes.Count < 2 || data.Image is not { } image) return;
        var pixels = image.Aggregate(1L, (a, b) => a * b);
        if (Sizes[0] != pixels)
            job.Fail("model.sizes", FormattableString.Invariant(
                $"found widths that start with {Sizes[0]}, expected {pixels}, the pixels of one image of {name}"));
        if (Sizes[^1] < data.Classes)
            job.Fail("model.sizes", FormattableString.Invariant(
                $"found widths that end with {Sizes[^1]}, expected at least {data.Classes}, the classes of {name}"));
    }
}
