namespace Distributed.Client.Following;

/// <param name="Step">The step whose decision set the scale.</param>
/// <param name="Skipped">That step overflowed and was skipped.</param>
internal readonly record struct ScaleChange(long Step, double Scale, bool Skipped);
