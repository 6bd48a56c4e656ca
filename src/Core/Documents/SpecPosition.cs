namespace Distributed.Core.Documents;

/// <summary>Where in the job's text something stands, from 1.</summary>
/// <param name="Source">Set when it stands elsewhere than in the file, such as <c>--set steps=5</c>.</param>
public readonly record struct SpecPosition(int Line, int Column, string? Source = null);
