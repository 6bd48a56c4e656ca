using Distributed.Core.Documents;
using Distributed.Core.Values;

namespace Distributed.Core.Spec;

public static partial class JobSpecReader
{
    private static DataSpec? ReadData(SpecSection? data)
    {
        if (data is null) return null;
        var name = data.Word("name", JobWords.DataSets, required: true) ?? "";
        var spec = new DataSpec
        {
            Name = name,
            Path = data.Text("path", required: name.Length > 0 && name != JobWords.Shapes),
            Samples = (int?)data.Whole("samples", 1, 1_000_000),
            Length = (int?)data.Whole("length", 1, 100_000),
            Encoding = data.Word("encoding", JobWords.Encodings),
            AllowNonFinite = data.Flag("allowNonFinite") ?? false,
        };
        if (name.Length > 0 && name != JobWords.Tensors)
            data.Refuse($"belongs to data tensors, not to {name}, whose values are always finite; remove it", "allowNonFinite");
        if (name == JobWords.Shapes) data.Refuse("data shapes is generated and reads no file; remove it", "path");
        if (name.Length > 0 && name != JobWords.Shapes) data.Refuse($"belongs to data shapes, not to {name}; remove it", "samples");
        if (name.Length > 0 && name is not (JobWords.Imdb or JobWords.Text)) data.Refuse($"belongs to data imdb and text, not to {name}; remove it", "length");
        if (name.Length > 0 && name != JobWords.Imdb) data.Refuse($"belongs to data imdb, not to {name}; remove it", "encoding");
        data.End();
        return spec;
    }

    private static NormalizeSpec? ReadNormalize(SpecSection job, string? data)
    {
        if (job.Section("normalize") is not { } normalize) return null;
        var mean = normalize.Numbers("mean", NumberRange.Finite, required: true);
        var std = normalize.Numbers("std", NumberRange.Positive, required: true);
        normalize.End();
        if (IsNoImage(data)) job.Fail("normalize", $"applies to images, which data {data} has none of; remove it");
        if (JobSpecRules.Channels(data) is { } channels)
        {
            CheckChannels("mean", mean);
            CheckChannels("std", std);
        }

        if (mean is not null && std is not null) CheckPixels(normalize, mean, std);

        return mean is null || std is null ? null : new() { Mean = mean, Std = std };

        void CheckChannels(string key, EquatableList<double>? values)
        {
            if (values is not null && values.Count != channels)
                normalize.FailLength(key, values.Count, FormattableString.Invariant($"{channels}: one for each channel of {data}"));
        }
    }

    /// <remarks>A pixel of 0 to 1 becomes (pixel - mean) / std, rounded to float32.</remarks>
    private static void CheckPixels(SpecSection normalize, EquatableList<double> mean, EquatableList<double> std)
    {
        foreach (var (i, (m, s)) in mean.Zip(std).Index())
        {
            if (float.IsFinite((float)(m / s)) && float.IsFinite((float)((1 - m) / s))) continue;
            normalize.Fail("std", FormattableString.Invariant($"found {s} at place {i}, which makes (pixel - mean) / std infinite as float32, expected a larger one"));
        }
    }

    private static AugmentSpec? ReadAugment(SpecSection job, string? data)
    {
        if (job.Section("augment") is not { } augment) return null;
        var spec = new AugmentSpec { Flip = augment.Flag("flip") ?? false, Crop = (int)(augment.Whole("crop", 0, 32) ?? 0) };
        augment.End();
        if (IsNoImage(data)) job.Fail("augment", $"applies to images, which data {data} has none of; remove it");
        return spec;
    }

    private static bool IsNoImage(string? data) => !string.IsNullOrEmpty(data) && JobSpecRules.Channels(data) is null;
}
