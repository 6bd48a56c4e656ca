using Distributed.Core.Jobs;
using Distributed.Core.Spec;

namespace Distributed.Training.Data;

/// <summary>Opens the data set that a job names.</summary>
internal static class DataSources
{
    /// <summary>Reads and checks the whole set; takes seconds for the larger ones, so call it once for all ranks.</summary>
    /// <exception cref="JobException"><c>path-missing</c>, or <c>data-invalid</c> naming file, place, found and expected.</exception>
    public static DataSource Open(JobSpec spec)
    {
        var source = OpenNamed(spec);
        if (spec.Model.Sizes is [.., var outputs] && outputs < source.Classes)
        {
            throw new JobException(
                ErrorCodes.SpecInvalid, $"model.sizes ends with {outputs}; data set \"{spec.Data.Name}\" has {source.Classes} classes, so expected at least that.");
        }

        return source;
    }

    private static DataSource OpenNamed(JobSpec spec) => spec.Data.Name switch
    {
        "shapes" => ShapesSet.Generate(spec),
        "cifar10" => Cifar10Set.Open(PathOf(spec), spec),
        "mnist" => MnistSet.Open(PathOf(spec), spec),
        "imdb" => ImdbSet.Open(PathOf(spec), spec),
        "text" => TextSet.Open(PathOf(spec), spec),
        "tensors" => TensorsSet.Open(PathOf(spec), spec.Model, spec.Data.AllowNonFinite),
        var name => throw new JobException(
            ErrorCodes.SpecInvalid, $"data.name: \"{name}\" is no data set; expected cifar10, mnist, imdb, text, tensors or shapes."),
    };

    private static string PathOf(JobSpec spec)
    {
        var path = spec.Data.Path ?? throw new JobException(ErrorCodes.SpecInvalid, $"data.path is missing; \"{spec.Data.Name}\" needs one.");
        return Path.Exists(path)
            ? path
            : throw new JobException(ErrorCodes.PathMissing, $"data.path: {path} does not exist; expected the {spec.Data.Name} data set.");
    }
}
