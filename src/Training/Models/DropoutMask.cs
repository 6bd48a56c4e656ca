using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Models;

/// <summary>Dropout from the job's own generator, seeded anew for every micro-batch; off in evaluation.</summary>
/// <param name="probability">Of zeroing an element.</param>
/// <param name="generator">Null: pass everything through.</param>
internal sealed class DropoutMask(double probability, Generator? generator)
{
    public static DropoutMask Off { get; } = new(0, null);

    /// <returns>
    /// <paramref name="x"/> itself when off, else a new tensor of the same shape scaled by 1/(1-p); belongs to the caller's dispose scope.
    /// </returns>
    public Tensor Apply(Tensor x)
    {
        if (generator is null || probability == 0) return x;
        Tensor mask;
        // Held: a number that TorchSharp wraps on the way may be collected while the native call still reads it.
        using Scalar kept = 1 - probability;
        using (no_grad())
            mask = empty_like(x).bernoulli_(1 - probability, generator).div_(kept);
        return x * mask;
    }
}
