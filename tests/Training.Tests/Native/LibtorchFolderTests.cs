using Distributed.Core.Jobs;
using Distributed.Testing;
using Distributed.Training.Native;
using Distributed.Training.Tests.Data;

namespace Distributed.Training.Tests.Native;

public sealed class LibtorchFolderTests : IDisposable
{
    private static readonly string[] Files = ["libc10.so", "libtorch_cpu.so", "libtorch.so"];
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData("lib")]
    [InlineData("torch/lib")]
    public void Find_NamedFolder_TakesTheOneWithTheLibraries(string below)
    {
        var folder = Fill(Path.Combine("named", below));
        var found = LibtorchFolder.Find(directory.File("named"), directory.File("program"));
        Assert.Equal((folder, true), (found.Path, found.IsNamed));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public void Find_NothingNamed_TakesTheOneBesideTheProgram(string? named)
    {
        var folder = Fill("program/libtorch");
        Assert.Equal(new LibtorchFolder(folder, IsNamed: false), LibtorchFolder.Find(named, directory.File("program")));
    }

    [Fact]
    public void Find_LinkedFile_GivesItsRealPath()
    {
        var folder = Fill("real");
        Directory.CreateDirectory(directory.File("links"));
        foreach (var file in Files) File.CreateSymbolicLink(Path.Combine(directory.File("links"), file), Path.Combine(folder, file));
        Assert.Equal(Path.Combine(folder, "libc10.so"), LibtorchFolder.Find(directory.File("links"), "/none").Find("libc10.so"));
    }

    [Fact]
    public void Find_NoFolder_NamesItAndTheRemedy() => Refuses("nowhere", "nowhere", "there is no such folder", "'torch/lib'");

    [Fact]
    public void Find_EmptyFolder_NamesWhatIsMissing()
    {
        Directory.CreateDirectory(directory.File("empty"));
        Refuses("empty", "lacks libc10.so, libtorch_cpu.so, libtorch.so");
    }

    [Fact]
    public void Find_DeadLink_IsMissing()
    {
        File.Delete(Path.Combine(Fill("dead"), "libc10.so"));
        File.CreateSymbolicLink(directory.File("dead/libc10.so"), directory.File("gone"));
        Refuses("dead", "lacks libc10.so.");
    }

    [Fact]
    public void Find_NothingBesideTheProgram_SaysToBuildAgain()
    {
        var error = Assert.Throws<JobException>(() => LibtorchFolder.Find(null, directory.File("program")));
        Assert.All([directory.File("program/libtorch"), "Build or publish again", LibtorchFolder.Variable], words => Assert.Contains(
            words, error.Message, StringComparison.Ordinal));
    }

    private void Refuses(string name, params string[] words)
    {
        var error = Assert.Throws<JobException>(() => LibtorchFolder.Find(directory.File(name), "/none"));
        Assert.Equal(ErrorCodes.Native, error.Code);
        Assert.All([LibtorchFolder.Variable, .. words], word => Assert.Contains(word, error.Message, StringComparison.Ordinal));
    }

    private string Fill(string folder)
    {
        var path = Directory.CreateDirectory(directory.File(folder)).FullName.TrimEnd('/');
        foreach (var file in Files) File.WriteAllText(Path.Combine(path, file), "");
        return path;
    }
}
