using Distributed.Core.Jobs;
using Distributed.Testing;
using Distributed.Training.Native;
using Distributed.Training.Tests.Data;

namespace Distributed.Training.Tests.Native;

public sealed class SecondCopyTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();
    private readonly string core;

    public SecondCopyTests() => core = Write("mine");

    public void Dispose() => directory.Dispose();

    [Fact]
    public void Refuse_TheSameFile_IsNone()
    {
        Directory.CreateDirectory(directory.File("links"));
        File.CreateSymbolicLink(directory.File("links/libtorch_cpu.so"), core);
        SecondCopy.Refuse(
            core, [Mapped(core), "7f00-7f01 rw-p 00000000 00:00 0", Mapped("/usr/lib/libc.so.6")],
            [directory.File("links"), directory.File("none")]);
    }

    [Fact]
    public void Refuse_AnotherIsLoaded_NamesBoth() => Refused([Mapped(Write("other"))], [], directory.File("other/libtorch_cpu.so"));

    /// <summary>As the system's own package names it.</summary>
    [Fact]
    public void Refuse_AnotherVersionIsLoaded_NamesBoth() =>
        Refused([Mapped("/usr/lib/libtorch_cpu.so.1.13.0")], [], "/usr/lib/libtorch_cpu.so.1.13.0");

    [Fact]
    public void Refuse_AnotherWouldBeFound_NamesBoth()
    {
        Write("program");
        Refused(
            [Mapped("/usr/lib/libc.so.6")], [directory.File("none"), directory.File("program")], directory.File("program/libtorch_cpu.so"));
    }

    /// <summary>This very process: one libtorch, however many tests run.</summary>
    [Fact]
    public void Refuse_ThisProcess_HasOne() => SecondCopy.Refuse(LibtorchFolder.Find().Find(LibtorchFolder.Core)!);

    private void Refused(string[] maps, string[] probing, string other)
    {
        var error = Assert.Throws<JobException>(() => SecondCopy.Refuse(core, maps, probing));
        Assert.Equal(ErrorCodes.Native, error.Code);
        Assert.All([core, other], path => Assert.Contains(path, error.Message, StringComparison.Ordinal));
    }

    private string Write(string folder)
    {
        var path = Path.Combine(Directory.CreateDirectory(directory.File(folder)).FullName, LibtorchFolder.Core);
        File.WriteAllText(path, "");
        return path;
    }

    private static string Mapped(string path) => $"7f2f4c000000-7f2f61410000 r-xp 00000000 fe:00 2883606                    {path}";
}
