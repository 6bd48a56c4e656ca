using Distributed.Core.Jobs;
using Distributed.Silo.Failures;
using Distributed.Silo.Settings;
using Npgsql;

namespace Distributed.Silo.Cluster.Postgres;

/// <summary>Our tables, in a schema of their own; created once, by the first silo that comes.</summary>
internal static class PostgresSchema
{
    /// <summary>The schema, in PostgreSQL's sense: what stands in it never meets another program's tables.</summary>
    public const string Name = "dtrain";

    /// <summary>Goes up with every change of schema.sql; a change needs a way from each older one.</summary>
    public const int Version = 1;

    /// <summary>"dtrain" in ASCII: silos that start at once wait for each other here.</summary>
    private const long Lock = 0x64747261696e;

    /// <exception cref="JobException">Code <c>store-schema</c>: made by another version of dtrain.</exception>
    public static async Task Apply(NpgsqlDataSource source, CancellationToken deadline)
    {
        await using var connection = await source.OpenConnectionAsync(deadline);
        await using var transaction = await connection.BeginTransactionAsync(deadline);
        await Run(connection, $"SELECT pg_advisory_xact_lock({Lock})", deadline);
        var exists =
            await Read(connection, $"SELECT CASE WHEN to_regclass('{Name}.schema_version') IS NULL THEN 0 ELSE 1 END", deadline) == 1;
        var found = exists ? await Read(connection, $"SELECT max(version) FROM {Name}.schema_version", deadline) : null;
        if (found is null) await Run(connection, await Script(), deadline);
        else if (found != Version)
        {
            throw new JobException(
                ServeErrors.StoreSchema,
                $"The PostgreSQL store has dtrain tables of version {found}, this silo works with version {Version}: "
                + "run silos of one version, or give this cluster another database.");
        }

        await transaction.CommitAsync(deadline);
    }

    /// <summary>Reads the name of a cluster's members' store, or gives it one.</summary>
    public static async Task<string> Identity(NpgsqlDataSource source, string clusterId, CancellationToken deadline)
    {
        await using var connection = await source.OpenConnectionAsync(deadline);
        await using var transaction = await connection.BeginTransactionAsync(deadline);
        await Run(connection, $"SELECT pg_advisory_xact_lock({Lock})", deadline);
        // Beside the versioned script: tables of this version from before lack it.
        await Run(
            connection, $"CREATE TABLE IF NOT EXISTS {Name}.cluster_identity (cluster_id text PRIMARY KEY, identity text NOT NULL)",
            deadline);
        await using var command = new NpgsqlCommand(
            $"INSERT INTO {Name}.cluster_identity VALUES ($1, $2) ON CONFLICT (cluster_id) DO UPDATE SET cluster_id = "
            + "excluded.cluster_id RETURNING identity", connection);
        command.Parameters.AddWithValue(clusterId);
        command.Parameters.AddWithValue(Guid.NewGuid().ToString("N"));
        var identity = (string)(await command.ExecuteScalarAsync(deadline))!;
        await transaction.CommitAsync(deadline);
        return identity;
    }

    private static async Task<int?> Read(NpgsqlConnection connection, string sql, CancellationToken deadline)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(deadline) as int?;
    }

    private static async Task Run(NpgsqlConnection connection, string sql, CancellationToken deadline)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(deadline);
    }

    private static async Task<string> Script()
    {
        await using var stream = typeof(PostgresSchema).Assembly.GetManifestResourceStream("dtrain-schema.sql")!;
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync();
    }
}
