using Distributed.Core.Spec;

namespace Distributed.Training.Data;

/// <summary>What each pixel byte becomes in each channel: (b / 255 - mean) / std, rounded to float32 once.</summary>
internal static class PixelTable
{
    /// <returns>256 values per channel, channel after channel.</returns>
    public static float[] Build(NormalizeSpec normalize)
    {
        var table = new float[256 * normalize.Mean.Count];
        for (var i = 0; i < table.Length; i++)
        {
            var channel = i / 256;
            table[i] = (float)((((i % 256) / 255.0) - normalize.Mean[channel]) / normalize.Std[channel]);
        }

        return table;
    }
}
