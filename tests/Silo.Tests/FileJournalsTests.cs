using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Distributed.Silo.Folders;
using Distributed.Silo.Settings;

namespace Distributed.Silo.Tests;

/// <summary>A job's folder says whose it is and what was submitted.</summary>
public sealed class FileJournalsTests : IDisposable
{
    private static readonly JobId Id = JobId.Parse("j");
    private static readonly JobSubmission Submission = Specs.Lasting() with { User = "ann" };
    private readonly string root = Directory.CreateTempSubdirectory("jobs-").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    private FileJournals Of(string cluster)
    {
        ServeSettings settings = new() { Token = "0123456789abcdef", JobsRoot = root, DataRoot = root, ClusterId = cluster };
        return new(settings, new JobPaths(settings));
    }

    [Fact]
    public async Task Kept_IsRecalledToTheLetter()
    {
        Assert.Null(await Of("a").Recall(Id));
        await Of("a").Keep(Id, Submission);
        Assert.Equal(new KeptJob("a", Submission), await Of("a").Recall(Id));
        Assert.Equal([Id], Of("a").Kept());
    }

    [Fact]
    public async Task Size_CountsFilesAtAnyDepthAndNotWhatLinksLeadTo()
    {
        Assert.Equal(0, await Of("a").Size(Id));
        var folder = Directory.CreateDirectory(Path.Combine(root, "j", "checkpoints", "step-1")).FullName;
        File.WriteAllBytes(Path.Combine(folder, "model"), new byte[1000]);
        File.WriteAllBytes(Path.Combine(root, "j", ".tmp"), new byte[24]);
        File.CreateSymbolicLink(Path.Combine(root, "j", "link"), "/proc/self/exe");
        Directory.CreateSymbolicLink(Path.Combine(root, "j", "usr"), "/usr/bin");
        Assert.Equal(1024, await Of("a").Size(Id));
    }

    [Fact]
    public async Task OfAnotherCluster_IsNeitherShownNorDeleted()
    {
        await Of("a").Keep(Id, Submission);
        Assert.Equal(new KeptJob("a", null), await Of("b").Recall(Id));
        Assert.Empty(Of("b").Kept());
        var error = await Assert.ThrowsAsync<IOException>(() => Of("b").Delete(Id));
        Assert.Contains("belongs to cluster 'a'", error.Message, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(root, "j", "job.json")));
        await Of("a").Delete(Id);
        Assert.False(Directory.Exists(Path.Combine(root, "j")));
    }

    /// <summary>A copy that somebody made, or a folder that was renamed: not brought back, but not kept quiet about.</summary>
    [Fact]
    public async Task FolderWhoseNameIsNoId_IsNamedAsUnreadable()
    {
        await Of("a").Keep(Id, Submission);
        foreach (var name in (string[])["_j", ".j", "strangers"]) Directory.CreateDirectory(Path.Combine(root, name));
        foreach (var name in (string[])["_j", ".j"]) File.Copy(Path.Combine(root, "j", "job.json"), Path.Combine(root, name, "job.json"));
        Dictionary<string, string> unreadable = [];
        Assert.Equal([Id], Of("a").Kept((folder, why) => unreadable[folder] = why.Message));
        Assert.Equal(["_j"], unreadable.Keys);
        Assert.StartsWith("its name is no id: found '_j', expected 1 to 64 letters", unreadable["_j"], StringComparison.Ordinal);
        Assert.Equal([], Of("b").Kept((folder, _) => Assert.Fail(folder)));
    }

    [Fact]
    public async Task FolderThatDoesNotSayWhoseItIs_IsAStranger()
    {
        Directory.CreateDirectory(Path.Combine(root, "j", "checkpoints"));
        Assert.Equal(new KeptJob(null, null), await Of("a").Recall(Id));
        Directory.Delete(Path.Combine(root, "j", "checkpoints"));
        Assert.Null(await Of("a").Recall(Id));
    }

    [Fact]
    public async Task DamagedFile_IsNamed()
    {
        Directory.CreateDirectory(Path.Combine(root, "j"));
        await File.WriteAllTextAsync(Path.Combine(root, "j", "job.json"), "{");
        var error = await Assert.ThrowsAsync<IOException>(() => Of("a").Recall(Id));
        Assert.Contains("job.json is not as a silo wrote it", error.Message, StringComparison.Ordinal);
        Assert.Empty(Of("a").Kept());
    }
}
