namespace Distributed.Core.Samples;

/// <summary>What a random stream is drawn for; the numbers are part of the stream and never change.</summary>
public enum RandomPurpose
{
    None = 0,

    /// <summary>Order of the samples; counter: epoch.</summary>
    Shuffle = 1,

    /// <summary>Image augmentation; counters: step, micro-batch.</summary>
    Augment = 2,

    /// <summary>Dropout masks; counters: step, micro-batch.</summary>
    Dropout = 3,

    /// <summary>Initial weights; counter: parameter.</summary>
    Weights = 4,

    /// <summary>Generated samples; counters: split, sample.</summary>
    Samples = 5,
}
