using System.Security.Cryptography;
using System.Text;

namespace Distributed.Core.Users;

/// <summary>What clients present to be let in.</summary>
public static class AccessToken
{
    public const int LeastLength = 16;
    private const int MostLength = 4096;

    /// <summary>What a token must be, for "expected ..." in errors.</summary>
    public const string Form = "16 to 4096 printable ASCII characters without blanks at the ends";

    /// <summary>Long enough not to be guessed, and able to travel in a header.</summary>
    public static bool IsValid(string token) =>
        token.Length is >= LeastLength and <= MostLength && token[0] != ' ' && token[^1] != ' ' && token.All(c => c is >= ' ' and <= '~');

    /// <summary>32 bytes: digests have one length, so the time of a comparison tells nothing.</summary>
    public static byte[] Digest(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));

    public static string DigestHex(string token) => Convert.ToHexStringLower(Digest(token));
}
