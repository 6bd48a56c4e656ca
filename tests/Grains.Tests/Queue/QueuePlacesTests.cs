using Distributed.Core.Jobs;
using Distributed.Grains.Queue;
using Microsoft.Extensions.Time.Testing;

namespace Distributed.Grains.Tests.Queue;

public sealed class QueuePlacesTests
{
    private readonly FakeTimeProvider time = new();

    [Fact]
    public void Keep_ManyAtOnce_HoldsTheQuotaThoughNoneIsInTheLineYet()
    {
        QueuePlaces places = new(time);
        Assert.Null(places.Keep(JobId.Parse("a"), "ann", waiting: 1, most: 3));
        Assert.Null(places.Keep(JobId.Parse("b"), "ann", waiting: 1, most: 3));
        Assert.StartsWith(
            "user ann has 3 jobs in the queue and may have 3: ", places.Keep(JobId.Parse("c"), "ann", waiting: 1, most: 3),
            StringComparison.Ordinal);
        // The same job again, and another user's, are another matter.
        Assert.Null(places.Keep(JobId.Parse("b"), "ann", waiting: 1, most: 3));
        Assert.Null(places.Keep(JobId.Parse("d"), "bob", waiting: 0, most: 1));
        Assert.Null(places.Keep(JobId.Parse("e"), "cleo", waiting: 1_000_000, most: null));
        places.Free(JobId.Parse("a"));
        Assert.Null(places.Keep(JobId.Parse("c"), "ann", waiting: 1, most: 3));
    }

    [Fact]
    public void Keep_SubmissionThatFailed_GivesItsPlaceBackAfterAMinute()
    {
        QueuePlaces places = new(time);
        Assert.Null(places.Keep(JobId.Parse("a"), "ann", waiting: 0, most: 1));
        Assert.NotNull(places.Keep(JobId.Parse("b"), "ann", waiting: 0, most: 1));
        time.Advance(TimeSpan.FromSeconds(61));
        Assert.Null(places.Keep(JobId.Parse("b"), "ann", waiting: 0, most: 1));
    }
}
