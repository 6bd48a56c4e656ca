using System.Text.Json;
using Distributed.Core.Jobs;

namespace Distributed.Core.Tests.Jobs;

public sealed class GenerationTests
{
    [Fact]
    public void Generations_CountFromOne()
    {
        Assert.Equal(default, Generation.None);
        Assert.Equal(new Generation(1), Generation.First);
        Assert.Equal(new Generation(3), Generation.First.Next.Next);
        Assert.Equal("12", new Generation(12).ToString());
    }

    [Fact]
    public void Generations_AreOrdered()
    {
        Generation one = new(1), two = new(2), ten = new(10);
        Assert.True(one < two && ten > two && one <= two && two >= one);
#pragma warning disable CS1718 // As ordered types promise.
        Assert.True(one <= one && one >= one && !(one < one) && !(one > one));
#pragma warning restore CS1718
        Assert.Equal([one, two, ten], new[] { ten, one, two }.Order());
    }

    [Fact]
    public void Json_GenerationAndRank_AreNumbers()
    {
        Assert.Equal("""{"Generation":3,"Rank":0,"Other":null}""", JsonSerializer.Serialize(new Place(new(3), new(0), null)));
        Assert.Equal(new Place(new(2), new(1), new(7)), JsonSerializer.Deserialize<Place>("""{"Generation":2,"Rank":1,"Other":7}"""));
    }

    private sealed record Place(Generation Generation, Rank Rank, Rank? Other);
}
