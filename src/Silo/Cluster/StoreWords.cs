using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Distributed.Core.Jobs;
using Npgsql;
using StackExchange.Redis;

namespace Distributed.Silo.Cluster;

/// <summary>What went wrong with a store, in words that name it, its address and the remedy; a pure function of the error.</summary>
internal static partial class StoreWords
{
    public static string Redis(IEnumerable<EndPoint> addresses) => $"Redis at {string.Join(", ", addresses.Select(Address))}";

    /// <param name="connectionString">Its host and port are named, nothing else of it.</param>
    public static string Postgres(string connectionString)
    {
        NpgsqlConnectionStringBuilder store = new(connectionString);
        return FormattableString.Invariant($"PostgreSQL at {store.Host}:{store.Port}");
    }

    /// <param name="store">As <see cref="Redis"/> and <see cref="Postgres"/> name it.</param>
    /// <returns>Null: no fault of the store.</returns>
    public static string? Of(Exception e, string store) => e switch
    {
        JobException { Code: ErrorCodes.Storage } files => files.Message,
        PostgresException { SqlState: PostgresErrorCodes.DiskFull } => $"The disk of {store} is full: free space there, then try again.",
        PostgresException refused => Refused(store, $"{refused.SqlState}: {refused.MessageText}"),
        RedisServerException refused => Refused(store, refused.Message),
        RedisException or NpgsqlException or SocketException or TimeoutException => Silent(store),
        // Orleans' storage for Redis keeps the words of the error alone.
        _ when SilentRedis().IsMatch(e.Message) => Silent(store),
        _ when RefusingRedis().Match(e.Message) is { Success: true } refused => Refused(store, refused.Groups["words"].Value),
        { InnerException: { } inner } => Of(inner, store),
        _ => null,
    };

    private static string Silent(string store) =>
        $"{store} does not answer: make sure that it runs and can be reached from the silos, then try again.";

    private static string Refused(string store, string words) =>
        $"{store} refused to read or write ({words.TrimEnd('.')}): see its log and its disk, then try again.";

    private static string Address(EndPoint address) =>
        address is DnsEndPoint name ? FormattableString.Invariant($"{name.Host}:{name.Port}") : address.ToString()!;

    [GeneratedRegex(@"\b(RedisConnectionException|RedisTimeoutException|SocketException|TimeoutException)\b")]
    private static partial Regex SilentRedis();

    [GeneratedRegex(@"\bRedisServerException: (?<words>[^\n]*)")]
    private static partial Regex RefusingRedis();
}
