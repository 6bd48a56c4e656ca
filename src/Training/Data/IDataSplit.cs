using Distributed.Core.Samples;

namespace Distributed.Training.Data;

/// <summary>One split of a data set in plain memory, shared by all ranks; reading is safe from several threads.</summary>
internal interface IDataSplit
{
    int Count { get; }

    SampleFormat Input { get; }

    SampleFormat Label { get; }

    /// <summary>The input is [channels, height, width] float32, so that a layout may be chosen.</summary>
    bool IsImage { get; }

    /// <summary>Writes samples one after another, ready for the model.</summary>
    /// <param name="inputs">At least samples x <see cref="SampleFormat.Bytes"/> of <see cref="Input"/>.</param>
    /// <param name="labels">At least samples x <see cref="SampleFormat.Bytes"/> of <see cref="Label"/>.</param>
    /// <param name="layout">Ignored where <see cref="IsImage"/> is false.</param>
    /// <param name="augment">The generator of this call alone; null: no augmentation.</param>
    void Fill(ReadOnlySpan<int> samples, Span<byte> inputs, Span<byte> labels, ImageLayout layout, CounterRandom? augment);
}
