namespace Distributed.Testing.Fuzz;

/// <summary>
/// Makes damaged copies of good inputs: bits flipped, pieces cut, doubled, moved or taken from another input, numbers and brackets put in.
/// </summary>
internal sealed class Damage(IReadOnlyList<byte[]> seeds, Random random)
{
    private const int MostChanges = 6;
    private const int LongestPiece = 256;

    private static readonly byte[][] Pieces =
    [
        .. ((string[])["{", "}", "[", "]", "\"", ",", ":", "-1", "0", "1e999", "-0.0", "NaN", "9223372036854775807", "18446744073709551616",
            "null", "true", "\\ud800", "\\u0000", "../", "/", "&a", "*a", "!!x", "<<", "? ", "\n", "\t", "\0"])
            .Select(System.Text.Encoding.UTF8.GetBytes),
        [0xFF, 0xFF, 0xFF, 0xFF], [0x7F, 0xFF, 0xFF, 0xFF], [0x80, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0],
        [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], [0xED, 0xA0, 0x80], [0xE2, 0x80, 0xAE], [0xC0], [0xEF, 0xBB, 0xBF],
    ];

    public byte[] Next()
    {
        List<byte> bytes = [.. seeds[random.Next(seeds.Count)]];
        for (var changes = 1 + random.Next(MostChanges); changes > 0; changes--) Change(bytes);
        return [.. bytes];
    }

    private void Change(List<byte> bytes)
    {
        var at = random.Next(bytes.Count + 1);
        var length = Math.Min(random.Next(1, LongestPiece), bytes.Count - at);
        switch (random.Next(8))
        {
            case 0 when at < bytes.Count: bytes[at] ^= (byte)(1 << random.Next(8)); break;
            case 1 when at < bytes.Count: bytes[at] = (byte)random.Next(256); break;
            case 2: bytes.RemoveRange(at, length); break;
            case 3: bytes.InsertRange(at, bytes.GetRange(at, length)); break;
            case 4: bytes.InsertRange(random.Next(bytes.Count + 1), bytes.GetRange(at, length)); break;
            case 5: bytes.RemoveRange(at, bytes.Count - at); break;
            case 6:
                var other = seeds[random.Next(seeds.Count)];
                var from = random.Next(other.Length + 1);
                bytes.InsertRange(at, other[from..Math.Min(other.Length, from + random.Next(1, LongestPiece))]);
                break;
            default: bytes.InsertRange(at, Pieces[random.Next(Pieces.Length)]); break;
        }
    }
}
