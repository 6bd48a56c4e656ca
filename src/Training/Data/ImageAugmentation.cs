using Distributed.Core.Samples;
using Distributed.Core.Spec;

namespace Distributed.Training.Data;

/// <summary>
/// Random crop out of a zero-padded image, then a random mirror image, as torchvision's RandomCrop and RandomHorizontalFlip do.
/// </summary>
internal static class ImageAugmentation
{
    /// <summary>
    /// Draws the shift and the mirroring of one image and writes the result; padding is pixel value 0, before normalisation.
    /// </summary>
    /// <param name="image">[channels, height, width].</param>
    /// <param name="result">As long as <paramref name="image"/>.</param>
    public static void Apply(
        AugmentSpec augment, ReadOnlySpan<byte> image, Span<byte> result, int height, int width, ref CounterRandom random)
    {
        var range = (2 * augment.Crop) + 1;
        var down = augment.Crop > 0 ? random.NextInt(range) - augment.Crop : 0;
        var right = augment.Crop > 0 ? random.NextInt(range) - augment.Crop : 0;
        var flip = augment.Flip && random.NextInt(2) == 1;
        Move(image, result, height, width, down, right, flip);
    }

    /// <summary>Output (y, x) is input (y + down, x + right), zero where that lies outside; mirrored afterwards.</summary>
    public static void Move(ReadOnlySpan<byte> image, Span<byte> result, int height, int width, int down, int right, bool flip)
    {
        var rows = image.Length / width;
        var first = Math.Clamp(-right, 0, width);
        var end = Math.Clamp(width - right, first, width);
        for (var row = 0; row < rows; row++)
        {
            var target = result.Slice(row * width, width);
            var (plane, y) = Math.DivRem(row, height);
            if ((uint)(y + down) >= (uint)height)
            {
                target.Clear();
                continue;
            }

            var source = image.Slice(((plane * height) + y + down) * width, width);
            target[..first].Clear();
            source.Slice(Math.Clamp(first + right, 0, width - (end - first)), end - first).CopyTo(target[first..]);
            target[end..].Clear();
            if (flip) target.Reverse();
        }
    }
}
