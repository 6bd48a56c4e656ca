using Distributed.Core.LossScaling;
using Distributed.Core.Stepping;

namespace Distributed.Core.Tests.Stepping;

internal static class Votes
{
    public static ILossScalePolicy Policy { get; } = LossScalePolicies.Create(new());

    /// <summary>A vote on a step without overflow, with the scale at 65536 and a growth tracker of 1.</summary>
    public static StepVote Clean(long step, long updates) =>
        new(new(1), new(step - 1, updates, new(65536, 1, 1, -1, 0)), false, 4, 2.5, 8, null);
}
