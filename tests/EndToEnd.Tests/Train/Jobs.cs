namespace Distributed.EndToEnd.Tests.Train;

/// <summary>Job files small enough for two cores.</summary>
internal static class Jobs
{
    /// <summary>
    /// All at once: 12 micro-batches, dropout, augmentation, clipping, overflows on the way, a short last batch, two epochs.
    /// </summary>
    public const string Mixed = """
        name: mixed
        model: { name: simple-cnn, dropout: 0.3 }
        data: { name: shapes, samples: 200 }
        precision: mixed_bfloat16
        globalBatch: 48
        microBatch: 4
        steps: 9
        seed: 7
        augment: { flip: true, crop: 4 }
        optimizer: { name: adamw, lr: 0.002, noDecay: ["*.bias"] }
        schedule: { name: cosine, warmupSteps: 2 }
        clipNorm: 0.5
        lossScale: { init: 3e38, interval: 3 }
        checkpoint: { everySteps: 3 }
        evaluate: { everySteps: 4 }
        """;

    /// <summary>Ends only when it is told to; its weights after a step do not depend on how many were planned.</summary>
    public const string Endless = """
        name: endless
        model: { name: mlp, sizes: [3072, 16, 10] }
        data: { name: shapes, samples: 200 }
        globalBatch: 32
        microBatch: 4
        steps: 1000000
        seed: 3
        optimizer: { name: sgd, lr: 0.01, momentum: 0.9 }
        """;

    public const string Cifar10 = """
        name: cifar10
        model: { name: simple-cnn }
        data: { name: cifar10, path: DATA }
        globalBatch: 8
        microBatch: 2
        steps: 2
        """;

    public const string Tensors = """
        name: tensors
        model: { name: mlp, sizes: [6, 8, 4] }
        data: { name: tensors, path: DATA }
        globalBatch: 8
        microBatch: 2
        steps: 2
        shuffle: false
        """;
}
