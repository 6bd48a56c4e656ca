using System.Net.Sockets;
using System.Security.Cryptography;

namespace Distributed.Training.Exchange;

/// <summary>Where a silo's exchange is reached.</summary>
/// <param name="Wire">By any silo, in the words of the wire.</param>
/// <param name="Local">
/// By a silo of the same machine: the name of a Unix socket in the abstract namespace, which is gone with its listener. Null: not at all.
/// </param>
internal readonly record struct PeerAddress(string Wire, string? Local)
{
    private const char Mark = '@';

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    public static PeerAddress Parse(string text) =>
        text.IndexOf(Mark, StringComparison.Ordinal) is >= 0 and var at ? new(text[..at], text[(at + 1)..]) : new(text, null);

    /// <summary>A name that no other listener of the machine has.</summary>
    public static string NewLocal() => $"dtrain-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))}";

    public static UnixDomainSocketEndPoint LocalEndpoint(string name) => new($"\0{name}");

    public override string ToString() => Local is null ? Wire : $"{Wire}{Mark}{Local}";
}
