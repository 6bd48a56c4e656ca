namespace Distributed.Training.Data;

/// <summary>Order of an image's numbers in memory; the logical shape stays [channels, height, width].</summary>
internal enum ImageLayout
{
    ChannelsFirst,
    ChannelsLast,
}
