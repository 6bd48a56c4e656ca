using System.Security.Cryptography;
using Distributed.Training.Parameters;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Checkpoints;

/// <summary>The fingerprint of a set of weights.</summary>
internal static class WeightsHash
{
    /// <returns>
    /// Lower-case SHA-256 of all parameters' FP32 little-endian bytes: parameters in ordinal name order, logical row-major.
    /// </returns>
    public static string Compute(Replica replica)
    {
        using var _ = no_grad();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var slot in replica.Layout.Slots.OrderBy(s => s.Spec.Name, StringComparer.Ordinal))
        {
            using var logical = RowMajor.Read(slot, replica.Master, replica.Device);
            RowMajor.ForEachChunk(logical, bytes => hash.AppendData(bytes));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
