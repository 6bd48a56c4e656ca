using Distributed.Client.Following;

namespace Distributed.Client.Rendering;

/// <summary>Messages only.</summary>
internal sealed class SilentView(TextWriter error) : IProgressView
{
    public Task ShowAsync(RunProgress progress, Func<Action, Task> follow) => follow(() => { });

    public void Say(string message) => error.WriteLine(message);
}
