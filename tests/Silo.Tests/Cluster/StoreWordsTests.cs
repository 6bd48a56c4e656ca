using System.Net;
using System.Net.Sockets;
using Distributed.Core.Jobs;
using Distributed.Silo.Cluster;
using Npgsql;
using StackExchange.Redis;

namespace Distributed.Silo.Tests.Cluster;

public sealed class StoreWordsTests
{
    private const string Store = "Redis at 10.0.0.7:6379";

    [Fact]
    public void Names_HaveAddressesAndNoSecrets()
    {
        Assert.Equal(
            "Redis at 10.0.0.7:6379, redis.internal:6380",
            StoreWords.Redis([new IPEndPoint(IPAddress.Parse("10.0.0.7"), 6379), new DnsEndPoint("redis.internal", 6380)]));
        Assert.Equal("PostgreSQL at db.internal:5432", StoreWords.Postgres("Host=db.internal;Database=d;Username=u;Password=very-secret"));
    }

    public static TheoryData<Exception, string> Failures => new()
    {
        { new RedisConnectionException(ConnectionFailureType.UnableToConnect, "no"), "Redis at 10.0.0.7:6379 does not answer" },
        { new TimeoutException(), "does not answer" },
        { new NpgsqlException("no", new SocketException(111)), "does not answer" },
        { new InvalidOperationException("outer", new SocketException(111)), "does not answer" },
        { new InvalidOperationException(
            "Failed to read state for job/x. StackExchange.Redis.RedisTimeoutException: Timeout awaiting response"), "does not answer" },
        { new InvalidOperationException(
            "Failed to write. StackExchange.Redis.RedisServerException: MISCONF Errors writing to the AOF file: No space left on device"),
            "refused to read or write (MISCONF Errors writing to the AOF file: No space left on device)" },
        { new RedisServerException("OOM command not allowed."), "refused to read or write (OOM command not allowed)" },
        { new PostgresException("no room", "ERROR", "ERROR", "53100"), "The disk of Redis at 10.0.0.7:6379 is full" },
        { new PostgresException("read-only", "ERROR", "ERROR", "25006"), "(25006: read-only)" },
        { new JobException(ErrorCodes.Storage, "The disk is full at /jobs/.state."), "The disk is full at /jobs/.state." },
    };

    [Theory]
    [MemberData(nameof(Failures))]
    public void Of_FailureOfTheStore_SaysWhichAndHow(Exception failure, string words) =>
        Assert.Contains(words, StoreWords.Of(failure, Store), StringComparison.Ordinal);

    [Fact]
    public void Of_AnythingElse_IsNotTheStores() => Assert.Null(StoreWords.Of(new InvalidOperationException("a bug"), Store));
}
