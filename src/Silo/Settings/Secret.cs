namespace Distributed.Silo.Settings;

/// <summary>A text that may hold a password: no log, error or debugger shows it.</summary>
internal sealed class Secret(string text)
{
    /// <summary>The text itself, for the one who connects with it.</summary>
    public string Reveal() => text;

    public override string ToString() => "(secret)";
}
