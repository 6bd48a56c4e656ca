using System.Net;
using k8s.Autorest;
using Npgsql;
using Orleans.Clustering.Redis;

namespace Distributed.Silo.Cluster;

/// <summary>Tells a store that answers, but has nothing of ours any more, from one that does not answer.</summary>
internal static class EmptiedStore
{
    public static bool Is(Exception error) => error switch
    {
        PostgresException refused => refused.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedFunction
            or PostgresErrorCodes.UndefinedColumn
            or PostgresErrorCodes.InvalidSchemaName or PostgresErrorCodes.InvalidCatalogName,
        RedisClusteringException { InnerException: null } => true,
        HttpOperationException refused => refused.Response.StatusCode == HttpStatusCode.NotFound,
        { InnerException: { } inner } => Is(inner),
        _ => false,
    };
}
