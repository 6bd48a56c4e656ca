using System.Collections.Immutable;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Distributed.Silo.Folders;
using Distributed.Silo.Lifecycle;
using Distributed.Silo.Settings;
using Microsoft.Extensions.Logging;

namespace Distributed.Silo.Tests;

public sealed class LeftJobsTests : IDisposable
{
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(2);
    private readonly string root = Directory.CreateTempSubdirectory("left-").FullName;
    private readonly SteppedTime time = new();
    private readonly List<string> warnings = [];
    private readonly List<string> recalled = [];
    private bool mended;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public async Task JobWhoseFilesCannotBeRead_IsNamedOnceAndKeepsNoOtherBack()
    {
        ServeSettings settings = new() { Token = "", JobsRoot = root, DataRoot = root, ClusterId = "a" };
        using JobPaths paths = new(settings);
        FileJournals folders = new(settings, paths);
        foreach (var id in new[] { "bad-1", "bad-2", "good" }) await folders.Keep(JobId.Parse(id), Specs.Lasting());
        var damaged = Path.Combine(Directory.CreateDirectory(Path.Combine(root, "damaged")).FullName, "job.json");
        await File.WriteAllTextAsync(damaged, "{");
        var queue = FakeGrains.Of<IJobQueueGrain>(
            (method, _) => method.Name == nameof(IJobQueueGrain.List) ? Task.FromResult(ImmutableArray<string>.Empty) : Task.CompletedTask);
        using LeftJobs left = new(FakeGrains.WithJobs(Job, queue), folders, time, new Warnings(warnings));
        await left.StartAsync(CancellationToken.None);
        await time.Waited().WaitAsync(Hang);
        Assert.Equal(["good"], recalled);
        Assert.Equal(4, warnings.Count);
        Assert.Contains(warnings, words => words.Contains("Job bad-1 ", StringComparison.Ordinal)
            && words.Contains("no right to bad-1. Repair its folder", StringComparison.Ordinal));
        time.Advance(TimeSpan.FromMinutes(1));
        await time.Waited().WaitAsync(Hang);
        Assert.Equal(4, warnings.Count);
        Assert.Contains(warnings, words => words.Contains("Job damaged has a folder", StringComparison.Ordinal)
            && words.Contains(damaged, StringComparison.Ordinal));
        mended = true;
        File.Delete(damaged);
        time.Advance(TimeSpan.FromMinutes(1));
        await left.ExecuteTask!.WaitAsync(Hang);
        Assert.Equal(["bad-1", "bad-2", "good"], recalled.Order(StringComparer.Ordinal));
    }

    private FakeJobGrain Job(string id) => new()
    {
        Standing = () =>
        {
            if (!mended && id != "good") throw new IOException($"no right to {id}.");
            recalled.Add(id);
            return new JobStanding(null, new JobHold("ann", new(1), 1, []));
        },
    };

    private sealed class Warnings(List<string> said) : ILogger<LeftJobs>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            said.Add(formatter(state, exception));
    }
}
