using System.Net.Sockets;
using Distributed.Core.Jobs;
using Distributed.Silo.Failures;
using Distributed.Silo.Settings;
using Npgsql;

namespace Distributed.Silo.Cluster.Postgres;

/// <summary>The pool of connections that a silo's membership and storage share, on a database with our tables.</summary>
internal static class PostgresStore
{
    private static readonly TimeSpan TryAgain = TimeSpan.FromMilliseconds(200);

    /// <summary>Connects and, on a new database, makes the tables.</summary>
    /// <exception cref="JobException">
    /// Code <c>settings-invalid</c>, <c>store-unreachable</c> or <c>store-schema</c>; no message quotes the connection string.
    /// </exception>
    public static async Task<NpgsqlDataSource> Connect(Secret store, TimeSpan patience)
    {
        var source = NpgsqlDataSource.Create(Parse(store));
        using var deadline = new CancellationTokenSource(patience, TimeProvider.System);
        try
        {
            await Prepare(source, deadline.Token);
            return source;
        }
        catch (Exception e)
        {
            await source.DisposeAsync();
            throw e switch
            {
                PostgresException refused => Unreachable($"refused this silo ({refused.SqlState}: {refused.MessageText})"),
                NpgsqlException or OperationCanceledException or TimeoutException or SocketException => Unreachable("does not answer"),
                _ => e,
            };
        }
    }

    /// <summary>A database that starts together with its silos says so at first, or does not listen yet.</summary>
    private static async Task Prepare(NpgsqlDataSource source, CancellationToken deadline)
    {
        while (true)
        {
            try
            {
                await PostgresSchema.Apply(source, deadline);
                return;
            }
            catch (NpgsqlException e) when (e is PostgresException { SqlState: PostgresErrorCodes.CannotConnectNow }
                or { InnerException: SocketException { SocketErrorCode: SocketError.ConnectionRefused } })
            {
                await Task.Delay(TryAgain, TimeProvider.System, deadline);
            }
        }
    }

    private static NpgsqlConnectionStringBuilder Parse(Secret store)
    {
        const string Expected = "expected the form Host=...;Database=...;Username=...;Password=...";
        var text = store.Reveal();
        if (text.Contains("://", StringComparison.Ordinal)) throw Invalid($"DTRAIN_STORE: found a URI for PostgreSQL, {Expected}.");
        try
        {
            var builder = new NpgsqlConnectionStringBuilder(text) { SearchPath = PostgresSchema.Name };
            if (builder.Host is not { Length: > 0 }) throw Invalid($"DTRAIN_STORE: found no Host for PostgreSQL, {Expected}.");
            builder.ApplicationName ??= "dtrain-silo";
            return builder;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or InvalidOperationException)
        {
            throw Invalid($"DTRAIN_STORE: found no connection string of PostgreSQL, {Expected}.");
        }
    }

    /// <summary>The name of the members' store, given by the first silo that comes; it goes with them when the schema is dropped.</summary>
    /// <exception cref="JobException">Code <c>store-unreachable</c>.</exception>
    public static async Task<string> Identity(NpgsqlDataSource source, string clusterId, TimeSpan patience)
    {
        using var deadline = new CancellationTokenSource(patience, TimeProvider.System);
        try
        {
            return await PostgresSchema.Identity(source, clusterId, deadline.Token);
        }
        catch (Exception e) when (e is NpgsqlException or OperationCanceledException or TimeoutException or SocketException)
        {
            throw Unreachable(
                e is PostgresException refused ? $"refused this silo ({refused.SqlState}: {refused.MessageText})" : "does not answer");
        }
    }

    private static JobException Unreachable(string how) => new(
        ServeErrors.StoreUnreachable,
        $"The PostgreSQL that DTRAIN_STORE or DTRAIN_STORE_FILE names {how}: make sure it runs; check address, database, "
        + "user, password and rights.");

    private static JobException Invalid(string message) => new(ServeErrors.SettingsInvalid, message);
}
