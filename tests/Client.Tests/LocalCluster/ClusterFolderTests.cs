using Distributed.Client.LocalCluster;
using Distributed.Client.Outcomes;
using Distributed.Core.Users;
using Distributed.Testing;

namespace Distributed.Client.Tests.LocalCluster;

public sealed class ClusterFolderTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Theory]
    [InlineData(null, "/state", "/home/ann", "/state/dtrain/cluster")]
    [InlineData(null, "not/absolute", "/home/ann", "/home/ann/.local/state/dtrain/cluster")]
    [InlineData(null, null, "/home/ann", "/home/ann/.local/state/dtrain/cluster")]
    [InlineData("/there", "/state", "/home/ann", "/there")]
    public void Find_IsTheSameForAllTerminalsUnlessNamed(string? named, string? state, string? home, string expected) =>
        Assert.Equal(expected, ClusterFolder.Find(named, name => name == "HOME" ? home : state).Root);

    [Fact]
    public void Find_NoHome_AsksForAFolder() =>
        Assert.Contains(
            "--dir DIR", Assert.Throws<CommandFailure>(() => ClusterFolder.Find(null, _ => null)).Message, StringComparison.Ordinal);

    [Fact]
    public void Fill_MakesUserAndTokenThatOnlyTheOwnerReads_Once()
    {
        ClusterFolder folder = new(directory.File("cluster"));
        folder.Open();
        folder.Fill("ann");
        var token = File.ReadAllText(folder.TokenFile);
        var user = Assert.Single(UsersFile.Load(folder.UsersFile).Users);
        Assert.Equal(("ann", UserRole.Admin, AccessToken.DigestHex(token.Trim())), (user.Name, user.Role, user.TokenSha256));
        const UnixFileMode others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute | UnixFileMode.OtherRead
            | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
        foreach (var path in new[] { folder.Root, folder.TokenFile, folder.UsersFile, folder.Data, folder.Jobs })
            Assert.Equal(default, File.GetUnixFileMode(path) & others);
        folder.Fill("ann");
        Assert.Equal(token, File.ReadAllText(folder.TokenFile));
    }

    [Fact]
    public void Fill_NameThatNoUserMayHave_IsTheOwner()
    {
        ClusterFolder folder = new(directory.File("cluster"));
        folder.Open();
        folder.Fill("an n");
        Assert.Equal("owner", Assert.Single(UsersFile.Load(folder.UsersFile).Users).Name);
    }

    [Fact]
    public void Fill_TokenGone_SaysWhatToRemove()
    {
        ClusterFolder folder = new(directory.File("cluster"));
        folder.Open();
        folder.Fill("ann");
        File.Delete(folder.TokenFile);
        Assert.Contains($"Remove the former", Assert.Throws<CommandFailure>(() => folder.Fill("ann")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_FolderOfSomethingElse_IsRefused()
    {
        directory.Write("thesis.tex", "");
        Assert.Contains(
            "holds other files", Assert.Throws<CommandFailure>(() => new ClusterFolder(directory.Path).Open()).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "is a file", Assert.Throws<CommandFailure>(() => new ClusterFolder(directory.File("thesis.tex")).Open()).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Open_FolderThatAllMayWriteTo_IsRefused()
    {
        var path = Directory.CreateDirectory(directory.File("open")).FullName;
        File.SetUnixFileMode(path, File.GetUnixFileMode(path) | UnixFileMode.OtherWrite);
        Assert.Contains("chmod o-w", Assert.Throws<CommandFailure>(() => new ClusterFolder(path).Open()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Layout_WrittenAndRead_OrRefusedByName()
    {
        ClusterFolder folder = new(directory.Path);
        Assert.Null(folder.ReadLayout());
        folder.Write(new ClusterLayout(3, 2));
        Assert.Equal(new ClusterLayout(3, 2), folder.ReadLayout());
        var file = directory.Write("cluster.json", "{\"silos\":0,\"slots\":1}");
        Assert.Contains(file, Assert.Throws<CommandFailure>(() => folder.ReadLayout()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Write_OverAnotherOne_LeavesNoMomentWithoutTheFile()
    {
        ClusterFolder folder = new(directory.Path);
        folder.Write(new ClusterLayout(1, 1));
        using CancellationTokenSource enough = new();
        TaskCompletionSource begun = new();
        var reads = Task.Run(() =>
        {
            while (!enough.IsCancellationRequested)
            {
                Assert.NotNull(folder.ReadLayout());
                begun.TrySetResult();
            }
        });
        await begun.Task;
        for (var silos = 1; silos <= 200 && !reads.IsCompleted; silos++) folder.Write(new ClusterLayout(silos, 1));
        await enough.CancelAsync();
        await reads;
        Assert.Equal("cluster.json", Path.GetFileName(Assert.Single(Directory.GetFiles(directory.Path))));
    }
}
