using Distributed.Silo.Cluster;
using Npgsql;

namespace Distributed.Silo.Tests.Cluster;

public sealed class EmptiedStoreTests
{
    [Theory]
    // Our tables, our schema, the database are gone; the server starts, refuses, is full.
    [InlineData("42P01", true)]
    [InlineData("3F000", true)]
    [InlineData("3D000", true)]
    [InlineData("57P03", false)]
    [InlineData("28P01", false)]
    [InlineData("53100", false)]
    public void Postgres_ThatAnswers_IsToldFromOneThatLostOurTables(string state, bool emptied)
    {
        var refused = new PostgresException("refused", "ERROR", "ERROR", state);
        Assert.Equal(emptied, EmptiedStore.Is(refused));
        Assert.Equal(emptied, EmptiedStore.Is(new InvalidOperationException("reading the table", refused)));
    }

    [Fact]
    public void AStoreThatDoesNotAnswer_IsNotEmptied() => Assert.False(EmptiedStore.Is(new TimeoutException()));
}
