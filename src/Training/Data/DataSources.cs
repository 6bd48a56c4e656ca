using Distributed.Core.DataSets;
using Distributed.Core.Jobs;
using Distributed.Core.Spec;

namespace Distributed.Training.Data;

/// <summary>Opens the data set that a job names.</summary>
internal static class DataSources
{
    /// <summary>The built-in data sets by their options.</summary>
    private static readonly Dictionary<Type, Func<JobSpec, DataSource>> BuiltIn = new()
    {
        [typeof(ShapesOptions)] = ShapesSet.Generate,
        [typeof(Cifar10Options)] = spec => Cifar10Set.Open(spec.Data.Path!, spec),
        [typeof(MnistOptions)] = spec => MnistSet.Open(spec.Data.Path!, spec),
        [typeof(ImdbOptions)] = spec => ImdbSet.Open(spec.Data.Path!, spec),
        [typeof(TextOptions)] = spec => TextSet.Open(spec.Data.Path!, spec),
        [typeof(TensorsOptions)] = spec => TensorsSet.Open(
            spec.Data.Path!, spec.Model.Options.Contract, ((TensorsOptions)spec.Data.Options).AllowNonFinite),
    };

    /// <summary>Reads and checks the whole set; takes seconds for the larger ones, so call it once for all ranks.</summary>
    /// <exception cref="JobException"><c>path-missing</c>, or <c>data-invalid</c> naming file, place, found and expected.</exception>
    public static DataSource Open(JobSpec spec)
    {
        var (data, options) = (spec.Data, spec.Data.Options);
        if (!options.Contract.IsGenerated) DemandPath(data);
        var source = options is IDataSource own ? own.Open(spec)
            : BuiltIn.TryGetValue(options.GetType(), out var open) ? open(spec)
            : throw new ArgumentException($"No data set takes {options.GetType().Name}; implement {nameof(IDataSource)}.", nameof(spec));
        if (spec.Model.Options.Contract is { Labels: LabelKind.Class } model && model.Classes < source.Classes)
        {
            throw new JobException(
                ErrorCodes.SpecInvalid,
                $"Model '{spec.Model.Name}' distinguishes {model.Classes} classes, but data set '{data.Name}' has {source.Classes}; "
                + "expected at least that many.");
        }

        return source;
    }

    private static void DemandPath(DataSpec data)
    {
        var path = data.Path ?? throw new JobException(ErrorCodes.SpecInvalid, $"data.path is missing; \"{data.Name}\" needs one.");
        if (!Path.Exists(path))
            throw new JobException(ErrorCodes.PathMissing, $"data.path: {path} does not exist; expected the {data.Name} data set.");
    }
}
