using System.Runtime.InteropServices;
using Distributed.Core.Checkpoints;
using Distributed.Core.Jobs;
using Distributed.Core.Machine;
using Distributed.Core.Tests.Checkpoints;
using Distributed.Testing;

namespace Distributed.Core.Tests;

public sealed class PathFenceTests : IDisposable
{
    private const string Within = "within", Secret = "secret";

    private readonly TemporaryDirectory directory = new();
    private readonly string root, outside;
    private readonly IDisposable fence;

    public PathFenceTests()
    {
        root = Directory.CreateDirectory(directory.File("root")).FullName;
        outside = Directory.CreateDirectory(directory.File("outside")).FullName;
        Directory.CreateDirectory(Path.Combine(root, "set"));
        File.WriteAllText(Path.Combine(root, "set", "file"), Within);
        File.WriteAllText(Path.Combine(outside, "file"), Secret);
        fence = PathFence.Around(root);
    }

    public void Dispose()
    {
        fence.Dispose();
        directory.Dispose();
    }

    private string Link(string name, string target)
    {
        var link = Path.Combine(root, name);
        File.CreateSymbolicLink(link, target);
        return link;
    }

    [Theory]
    [InlineData("../outside", "file")]
    [InlineData("../outside/file", "")]
    [InlineData("set/../../outside", "file")]
    [InlineData("/proc/self", "status")]
    [InlineData("/proc/self/cwd", "")]
    public void Open_LinkThatLeadsOut_IsRefused(string target, string below)
    {
        var path = Path.Combine(Link("link", target), below);
        Assert.Matches(
            "^it (leads out of .*/root through a link|is a folder.*)$", Assert.Throws<IOException>(() => RegularFile.Open(path)).Message);
    }

    [Theory]
    [InlineData("set")]
    [InlineData("./set/../set")]
    [InlineData("../root/set")]
    public void Open_LinkThatStays_IsFollowed(string target)
    {
        Assert.Equal(Within, Read(Path.Combine(Link("relative", target), "file")));
        Assert.Equal(Within, Read(Path.Combine(Link("absolute", Path.Combine(root, target)), "file")));
        Assert.Equal(["file"], RegularFolder.Names(Path.Combine(root, "absolute")));
    }

    [Fact]
    public void Open_RootIsItselfALink_CountsWhereItLeads()
    {
        var alias = directory.File("alias");
        Directory.CreateSymbolicLink(alias, root);
        using var second = PathFence.Around(alias + "/");
        Assert.Equal(Within, Read(Path.Combine(alias, "set/file")));
        Link("out", outside);
        Assert.Throws<IOException>(() => RegularFile.Open(Path.Combine(alias, "out/file")));
    }

    [Fact]
    public void Open_SiblingWhoseNameBeginsAlike_IsNotInside()
    {
        Directory.CreateDirectory(root + "-2");
        File.WriteAllText(root + "-2/file", Secret);
        Assert.Equal(Secret, Read(root + "-2/file"));
        Assert.Throws<IOException>(() => RegularFile.Open(Path.Combine(Link("sibling", root + "-2"), "file")));
    }

    [Fact]
    public void Names_FolderOutside_IsNotListed()
    {
        Assert.Throws<IOException>(() => RegularFolder.Names(Link("out", outside)));
        Assert.Equal(["out", "set"], RegularFolder.Names(root).Order());
    }

    [Fact]
    public void Begin_CheckpointFolderLeadsOut_WritesNothing()
    {
        var store = new CheckpointStore(Link("checkpoints", outside));
        Assert.Equal(ErrorCodes.Storage, Assert.Throws<JobException>(() => store.Begin(1)).Code);
        Assert.Equal([Path.Combine(outside, "file")], Directory.GetFileSystemEntries(outside));
    }

    [Fact]
    public void Dispose_EndsTheFence_OthersStay()
    {
        var link = Path.Combine(Link("out", outside), "file");
        var twice = PathFence.Around(root);
        twice.Dispose();
        twice.Dispose();
        Assert.Throws<IOException>(() => RegularFile.Open(link));
        fence.Dispose();
        Assert.Equal(Secret, Read(link));
    }

    [Fact]
    public async Task Open_LinkIsTurnedMeanwhile_NeverReadsOutside()
    {
        var link = Link("turning", "set");
        using CancellationTokenSource enough = new();
        var turning = Task.Run(() =>
        {
            for (var i = 0; !enough.IsCancellationRequested; i++)
            {
                var next = Path.Combine(root, "next");
                File.CreateSymbolicLink(next, i % 2 == 0 ? "../outside" : "set");
                // .NET moves no link to a folder over another.
                Assert.Equal(0, Rename(next, link));
            }
        });
        var (read, refused) = (0, 0);
        // Both ends are seen, many times.
        while (Math.Min(read, refused) < 200 && !turning.IsCompleted)
        {
            try
            {
                Assert.Equal(Within, Read(Path.Combine(link, "file")));
                read++;
            }
            catch (IOException e)
            {
                Assert.Equal($"it leads out of {root} through a link", e.Message);
                refused++;
            }

            try
            {
                Assert.Equal(["file"], RegularFolder.Names(link));
            }
            catch (IOException e)
            {
                Assert.Equal($"it leads out of {root} through a link", e.Message);
            }
        }

        await enough.CancelAsync();
        await turning;
    }

    [DllImport("libc", EntryPoint = "rename", CharSet = CharSet.Ansi)]
    private static extern int Rename(string from, string to);

    private static string Read(string path) => System.Text.Encoding.UTF8.GetString(RegularFile.ReadAllBytes(path));
}
