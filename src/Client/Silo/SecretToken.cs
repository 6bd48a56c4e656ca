using System.Security.Cryptography;

namespace Distributed.Client.Silo;

/// <summary>The password of one run: 32 random bytes that are kept in memory and on pipes only.</summary>
internal static class SecretToken
{
    public static string Create() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
}
