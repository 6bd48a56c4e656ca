using Distributed.Client.Following;

namespace Distributed.Client.Rendering;

/// <summary>Shows a run on stderr while it goes on.</summary>
internal interface IProgressView
{
    /// <summary>Runs <paramref name="follow"/>, which calls its argument after every event.</summary>
    Task ShowAsync(RunProgress progress, Func<Action, Task> follow);

    /// <summary>One message of its own line.</summary>
    void Say(string message);
}
