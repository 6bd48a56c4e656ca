using Distributed.Client.Following;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Distributed.Client.Rendering;

/// <summary>A bar and the figures of the last step, drawn in place on a terminal.</summary>
internal sealed class LiveView(TextWriter error, TimeProvider time) : IProgressView
{
    private const int BarCells = 50;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private readonly IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(error) });

    public Task ShowAsync(RunProgress progress, Func<Action, Task> follow) => console.Live(Draw(progress)).StartAsync(async live =>
    {
        var last = time.GetTimestamp();
        await follow(() =>
        {
            if (progress.End is null && progress.Waiting is null && time.GetElapsedTime(last) < Interval) return;
            last = time.GetTimestamp();
            live.UpdateTarget(Draw(progress));
        });
    });

    public void Say(string message) => console.WriteLine(message);

    private static IRenderable Draw(RunProgress progress)
    {
        if (progress.Waiting is { } reason) return new Markup($"[grey]waiting: {Markup.Escape(reason)}[/]");
        if (progress.Step is not { } step) return new Markup("[grey]waiting for the first step[/]");
        var done = progress.LastPlannedStep > 0 ? (int)(BarCells * Math.Min(1.0, (double)step.Step / progress.LastPlannedStep)) : 0;
        Grid figures = new();
        var cells = ProgressCells.Of(progress);
        foreach (var _ in cells) figures.AddColumn(new GridColumn().NoWrap());
        figures.AddRow([.. cells.Select(cell => new Markup($"[grey]{Markup.Escape(cell.Label)}[/]"))]);
        figures.AddRow([.. cells.Select(cell => new Text(cell.Value))]);
        return new Rows(new Markup($"[green]{new string('━', done)}[/][grey]{new string('━', BarCells - done)}[/]"), figures);
    }
}
