using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Distributed.Silo.Cluster.Files;

/// <summary>File names of grains: any key becomes one that every file system takes, and no two keys become the same.</summary>
internal static class StateFileName
{
    private const int Longest = 160;

    /// <summary>Lower-case letters, digits, '-' and '_' stay, all else is written as %hex; what would be too long ends in a hash.</summary>
    public static string Of(string key)
    {
        var name = new StringBuilder();
        foreach (var b in Encoding.UTF8.GetBytes(key))
        {
            if (b is >= (byte)'a' and <= (byte)'z' or >= (byte)'0' and <= (byte)'9' or (byte)'-' or (byte)'_') name.Append((char)b);
            else name.Append(CultureInfo.InvariantCulture, $"%{b:x2}");
        }

        // '~' is in no short name.
        return name.Length <= Longest
            ? name.ToString()
            : $"{name.ToString(0, 64)}~{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)))}";
    }
}
