using Distributed.Core.Jobs;
using Distributed.Core.Spec;
using Distributed.Grains.Contracts;
using Distributed.Silo.Folders;
using Distributed.Silo.Ranks;
using Distributed.Silo.Settings;
using Microsoft.Extensions.Logging.Abstractions;

namespace Distributed.Silo.Tests;

public sealed class RankHostTests
{
    [Fact]
    public async Task Run_CannotEvenBegin_SaysSoAndLeavesTheSlotsFree()
    {
        // Whatever breaks, such as a folder whose links the silo may not read: here there are no grains to talk to.
        using JobPaths paths = new(new ServeSettings { Token = "", JobsRoot = "/jobs" });
        var host = new RankHost(
            null!, null!, paths, new SiloMemory(new ServeSettings { Token = "", JobsRoot = "/jobs" }), TimeProvider.System,
            NullLogger<RankHost>.Instance);
        var end = await host.Run(new RankAssignment
        {
            JobId = JobId.Parse("toy"),
            Generation = new(3),
            SpecJson = JobSpecJson.Write(Specs.Job()),
            Silo = "a",
            Rank = new(1),
            WorldSize = 2,
            LocalRanks = [],
            StepDeadline = TimeSpan.FromSeconds(1),
            MeetDeadline = TimeSpan.FromSeconds(1),
            Silos = [],
        });
        Assert.Equal(
            (3, 1, RankOutcome.Failed, ErrorCodes.Internal, "start"),
            (end.Generation.Value, end.Rank.Value, end.Outcome, end.Error!.Code, end.Error.Phase));
        Assert.False(host.IsBusy);
    }
}
