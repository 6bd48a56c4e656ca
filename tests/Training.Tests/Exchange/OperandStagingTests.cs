using Distributed.Core.Canonical;
using Distributed.Training.Exchange;

namespace Distributed.Training.Tests.Exchange;

public sealed class OperandStagingTests : IDisposable
{
    // Silo 1 sends two partials: 1..4 is no aligned run.
    private static readonly ExchangePlan Plan = ExchangePlan.For(300 * BlockPlan.BlockElements, [new(0, 1), new(1, 4), new(4, 8)]);
    private readonly OperandStaging staging = new(Plan, presenceBytes: 8);

    [Fact]
    public void Rent_OpenTogether_AreDifferentRooms()
    {
        HashSet<nint> rooms = [];
        for (var slice = 0; slice < Plan.Slices.Count; slice++)
            for (var silo = 0; silo < Plan.Silos; silo++)
                for (var k = 0; k < Plan.Partials[silo].Count; k++)
                {
                    var room = staging.Rent(silo, k, slice);
                    Assert.True(rooms.Add(room));
                    Assert.Equal(0, room % 64);
                    staging.Presence(silo, k, slice).Fill((byte)slice);
                }
        Assert.Equal(2, Plan.Partials[1].Count);
        Assert.Equal(Plan.Slices.Count * 4, rooms.Count);
        for (var slice = 0; slice < Plan.Slices.Count; slice++)
        {
            Assert.Contains(staging.Payload(1, 1, slice), rooms);
            Assert.Equal((byte)slice, staging.Presence(1, 1, slice)[7]);
        }
    }

    [Fact]
    public void Rent_AfterReturn_TakesTheRoomThatWasReturnedLast()
    {
        var (first, second) = (staging.Rent(0, 0, 0), staging.Rent(2, 0, 0));
        staging.Return(2, 0, 0);
        staging.Return(0, 0, 0);
        Assert.Equal(first, staging.Rent(1, 0, 1));
        Assert.Equal(second, staging.Rent(1, 1, 1));
    }

    public void Dispose() => staging.Dispose();
}
