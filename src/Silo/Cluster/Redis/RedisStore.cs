using Distributed.Core.Jobs;
using Distributed.Silo.Failures;
using Distributed.Silo.Settings;
using StackExchange.Redis;

namespace Distributed.Silo.Cluster.Redis;

/// <summary>The one connection that a silo's membership and storage share.</summary>
internal static class RedisStore
{
    /// <exception cref="JobException">
    /// Code <c>settings-invalid</c> or <c>store-unreachable</c>; no message quotes the connection string.
    /// </exception>
    public static async Task<IConnectionMultiplexer> Connect(Secret store, TimeSpan patience)
    {
        var options = Parse(store);
        options.ClientName ??= "dtrain-silo";
        // Only now: once it was there, the connection is tried again for as long as the silo lives.
        options.AbortOnConnectFail = true;
        options.HeartbeatInterval = TimeSpan.FromSeconds(2);
        options.ConnectRetry = 1;
        options.ConnectTimeout = (int)(patience / 2).TotalMilliseconds;
        try
        {
            var connecting = ConnectionMultiplexer.ConnectAsync(options);
            var redis = await connecting.WaitAsync(patience, TimeProvider.System);
            await redis.GetDatabase().PingAsync().WaitAsync(patience, TimeProvider.System);
            return redis;
        }
        catch (Exception e) when (e is RedisException or RedisTimeoutException or TimeoutException)
        {
            // What Redis says may repeat a part of a connection string that was taken for an address.
            var reason = e is RedisConnectionException refused ? refused.FailureType.ToString() : e.GetType().Name;
            throw new JobException(
                ServeErrors.StoreUnreachable,
                $"The Redis that DTRAIN_STORE or DTRAIN_STORE_FILE names does not answer ({reason}): make sure it runs; check address, "
                + "password and TLS options.");
        }
    }

    /// <summary>The name of the members' store, given by the first silo that comes; it goes with them when the store is emptied.</summary>
    /// <exception cref="JobException">Code <c>store-unreachable</c>.</exception>
    public static async Task<string> Identity(IConnectionMultiplexer redis, string clusterId, TimeSpan patience)
    {
        RedisKey key = $"{clusterId}/dtrain/identity";
        try
        {
            var database = redis.GetDatabase();
            await database.StringSetAsync(key, Guid.NewGuid().ToString("N"), when: When.NotExists).WaitAsync(patience, TimeProvider.System);
            return (await database.StringGetAsync(key).WaitAsync(patience, TimeProvider.System)).ToString();
        }
        catch (Exception e) when (e is RedisException or RedisTimeoutException or TimeoutException)
        {
            var reason = e is RedisServerException refused ? refused.Message : e.GetType().Name;
            throw new JobException(
                ServeErrors.StoreUnreachable,
                $"The Redis that DTRAIN_STORE or DTRAIN_STORE_FILE names did not take a key ({reason}): "
                + "check its memory and rights, and that it is not a replica.");
        }
    }

    private static ConfigurationOptions Parse(Secret store)
    {
        const string Expected = "expected the form host:port,password=...,ssl=true";
        var text = store.Reveal();
        if (text.Contains("://", StringComparison.Ordinal)) throw Invalid($"DTRAIN_STORE: found a URI for Redis, {Expected}.");
        try
        {
            var options = ConfigurationOptions.Parse(text);
            return options.EndPoints.Count > 0 ? options : throw Invalid($"DTRAIN_STORE: found no address of a Redis, {Expected}.");
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            throw Invalid($"DTRAIN_STORE: found no connection string of Redis, {Expected}.");
        }
    }

    private static JobException Invalid(string message) => new(ServeErrors.SettingsInvalid, message);
}
