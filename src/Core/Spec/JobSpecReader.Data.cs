using Distributed.Core.Documents;
using Distributed.Core.Values;

namespace Distributed.Core.Spec;

public static partial class JobSpecReader
{
    private static DataSpec? ReadData(SpecSection? data)
    {
        if (data is null) return null;
        var catalog = JobCatalog.Current.DataSets;
        var name = data.Word("name", catalog.Names, required: true);
        var options = catalog.Read(data, name);
        var path = data.Text("path", required: options is { Contract.IsGenerated: false });
        if (options is { Contract.IsGenerated: true }) data.Refuse($"data {name} is generated and reads no file; remove it", "path");
        data.End();
        return name is null || options is null ? null : new() { Name = name, Options = options, Path = path };
    }

    private static NormalizeSpec? ReadNormalize(SpecSection job, DataSpec? data)
    {
        if (job.Section("normalize") is not { } normalize) return null;
        var mean = normalize.Numbers("mean", NumberRange.Finite, required: true);
        var std = normalize.Numbers("std", NumberRange.Positive, required: true);
        normalize.End();
        if (IsNoImage(data)) job.Fail("normalize", $"applies to images, which data {data!.Name} has none of; remove it");
        if (data?.Options.Contract.Image is [var channels, ..])
        {
            CheckChannels("mean", mean);
            CheckChannels("std", std);
        }

        if (mean is not null && std is not null) CheckPixels(normalize, mean, std);

        return mean is null || std is null ? null : new() { Mean = mean, Std = std };

        void CheckChannels(string key, EquatableList<double>? values)
        {
            if (values is not null && values.Count != channels)
                normalize.FailLength(key, values.Count, FormattableString.Invariant($"{channels}: one for each channel of {data!.Name}"));
        }
    }

    /// <remarks>A pixel of 0 to 1 becomes (pixel - mean) / std, rounded to float32.</remarks>
    private static void CheckPixels(SpecSection normalize, EquatableList<double> mean, EquatableList<double> std)
    {
        foreach (var (i, (m, s)) in mean.Zip(std).Index())
        {
            if (float.IsFinite((float)(m / s)) && float.IsFinite((float)((1 - m) / s))) continue;
            normalize.Fail("std", FormattableString.Invariant(
                $"found {s} at place {i}, which makes (pixel - mean) / std infinite as float32, expected a larger one"));
        }
    }

    private static AugmentSpec? ReadAugment(SpecSection job, DataSpec? data)
    {
        if (job.Section("augment") is not { } augment) return null;
        var spec = new AugmentSpec { Flip = augment.Flag("flip") ?? false, Crop = (int)(augment.Whole("crop", 0, 32) ?? 0) };
        augment.End();
        if (IsNoImage(data)) job.Fail("augment", $"applies to images, which data {data!.Name} has none of; remove it");
        return spec;
    }

    private static bool IsNoImage(DataSpec? data) => data is { Options.Contract.Image: null };
}
