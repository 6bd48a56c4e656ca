using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Connections;

namespace Distributed.Silo.Gateway;

/// <summary>Connections that one address may have at the gRPC endpoint; one more is closed without an answer.</summary>
internal sealed class ConnectionLimit(int most)
{
    private readonly ConcurrentDictionary<IPAddress, int> open = [];

    public async Task Pass(ConnectionContext connection, ConnectionDelegate next)
    {
        var address = (connection.RemoteEndPoint as IPEndPoint)?.Address ?? IPAddress.None;
        try
        {
            if (open.AddOrUpdate(address, 1, (_, count) => count + 1) <= most) await next(connection);
            else connection.Abort();
        }
        finally
        {
            // Removed with the last one: the table is no larger than what is open.
            if (open.AddOrUpdate(address, 0, (_, count) => count - 1) <= 0) open.TryRemove(new(address, 0));
        }
    }
}
