using Distributed.Grains.Exchange;
using Distributed.Grains.Placement;
using Distributed.Grains.Workers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orleans.Hosting;
using Orleans.Runtime.Hosting;

namespace Distributed.Grains;

/// <summary>Adds the control plane to a silo.</summary>
public static class TrainingSiloBuilderExtensions
{
    /// <summary>Name of the grain storage that holds the jobs; the host must configure it.</summary>
    public const string JobStorage = "jobs";

    /// <summary>Registers placement and the clock. The host adds an <see cref="IRankHost"/>, an <see cref="IChunkReducers"/> and grain storage <see cref="JobStorage"/>.</summary>
    public static ISiloBuilder AddTraining(this ISiloBuilder builder)
    {
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddPlacementDirector<OnNamedSilo, OnNamedSiloDirector>();
        return builder;
    }
}
