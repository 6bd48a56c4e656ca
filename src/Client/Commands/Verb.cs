using System.CommandLine;

namespace Distributed.Client.Commands;

/// <summary>A command whose help ends with examples and exit codes.</summary>
internal sealed class Verb(string name, string description, params string[] examples) : Command(name, description)
{
    public IReadOnlyList<string> Examples { get; } = examples;

    /// <summary>What the exit codes mean, where it is not the obvious.</summary>
    public string? ExitCodes { get; set; }
}
