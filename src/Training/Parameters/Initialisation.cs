using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Parameters;

/// <summary>PyTorch's default distributions for fresh parameters.</summary>
internal abstract record Initialisation
{
    /// <summary>U(-1/sqrt(fanIn), 1/sqrt(fanIn)): what kaiming_uniform with a = sqrt(5) comes to, for weights and biases alike.</summary>
    public static Initialisation FanIn(long fanIn) => new UniformInitialisation(1 / Math.Sqrt(fanIn));

    /// <summary>xavier_uniform of a weight [outputs, inputs]: U(-b, b) with b = sqrt(6 / (inputs + outputs)).</summary>
    public static Initialisation Xavier(long inputs, long outputs) => new UniformInitialisation(Math.Sqrt(6.0 / (inputs + outputs)));

    public static Initialisation StandardNormal { get; } = new NormalInitialisation();

    public static Initialisation Zeros { get; } = new ConstantInitialisation(0);

    public static Initialisation Ones { get; } = new ConstantInitialisation(1);

    /// <returns>New tensor of the shape, FP32, on the CPU, row-major; the caller disposes.</returns>
    public abstract Tensor Draw(long[] shape, Generator generator);

    private sealed record UniformInitialisation(double Bound) : Initialisation
    {
        public override Tensor Draw(long[] shape, Generator generator) => empty(shape).uniform_(-Bound, Bound, generator);
    }

    private sealed record ConstantInitialisation(float Value) : Initialisation
    {
        public override Tensor Draw(long[] shape, Generator generator)
        {
            // Held: a number that TorchSharp wraps on the way may be collected while the native call still reads it.
            using Scalar value = Value;
            return full(shape, value);
        }
    }

    private sealed record NormalInitialisation : Initialisation
    {
        public override Tensor Draw(long[] shape, Generator generator) => empty(shape).normal_(0, 1, generator);
    }
}
