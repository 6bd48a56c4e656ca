using Distributed.Silo.Cluster;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Orleans.Serialization;
using StackExchange.Redis;
using k8s.Autorest;

namespace Distributed.Silo.Tests.Cluster;

public sealed class StoreErrorTests
{
    public static TheoryData<Exception> Errors => new()
    {
        new RedisConnectionException(ConnectionFailureType.UnableToConnect, "no connection became available"),
        new RedisTimeoutException("timeout awaiting response", CommandStatus.Sent),
        new NpgsqlException("the server closed the connection", new TimeoutException("5 s")),
        new HttpOperationException("the server answered 503"),
    };

    [Theory]
    [MemberData(nameof(Errors))]
    public void CarryStoreErrors_FromSiloToSilo_KeepsTypeAndMessage(Exception error)
    {
        using var services = new ServiceCollection().AddSerializer()
            .Configure<ExceptionSerializationOptions>(ClusterProviders.CarryStoreErrors).BuildServiceProvider();
        var serializer = services.GetRequiredService<Serializer<Exception>>();
        var arrived = serializer.Deserialize(serializer.SerializeToArray(error));
        Assert.IsType(error.GetType(), arrived);
        Assert.Equal(error.Message, arrived.Message);
        Assert.Equal(error.InnerException?.Message, arrived.InnerException?.Message);
    }
}
