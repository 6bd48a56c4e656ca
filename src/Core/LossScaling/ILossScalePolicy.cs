namespace Distributed.Core.LossScaling;

/// <summary>Moves the loss scale from step to step: a pure function of the state and one flag.</summary>
public interface ILossScalePolicy
{
    LossScaleState Initial { get; }

    /// <summary>The state after a step whose reduced gradients were (not) all finite.</summary>
    /// <exception cref="LossScaleException">The policy gives up (DeepSpeed's ZeRO scaler at its floor).</exception>
    LossScaleState Next(LossScaleState state, bool foundInf);
}
