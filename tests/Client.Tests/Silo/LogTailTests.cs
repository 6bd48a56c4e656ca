using Distributed.Client.Silo;
using Distributed.Testing;

namespace Distributed.Client.Tests.Silo;

public sealed class LogTailTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    private string Write(string text)
    {
        File.WriteAllText(directory.File("silo.log"), text);
        return directory.File("silo.log");
    }

    [Fact]
    public void Read_TraceOfTheStack_IsLeftToTheLog()
    {
        var log = Write(
            """
            warn: Membership[7] No answer. System.OperationCanceledException: The ping was canceled.   at A.B() in /src/a.cs:line 3   at C()
            Unhandled exception. System.InvalidOperationException: wrong
               at D.E(String f)
               at G.H()

            """);
        Assert.Equal(
            "warn: Membership[7] No answer. System.OperationCanceledException: The ping was canceled.\n"
            + "Unhandled exception. System.InvalidOperationException: wrong",
            LogTail.Read(log, 0));
    }

    [Fact]
    public void Read_ManyAndLongLines_GivesTheLastOnesCut()
    {
        var tail = LogTail.Read(Write(string.Concat(Enumerable.Range(0, 40).Select(i => $"{i} {new string('x', i == 39 ? 900 : 5)}\n"))), 0)
            .Split('\n');
        Assert.Equal(15, tail.Length);
        Assert.Equal("25 xxxxx", tail[0]);
        Assert.Equal(403, tail[^1].Length);
        Assert.EndsWith("x...", tail[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Read_FromAPlace_LeavesOutWhatCameBefore() => Assert.Equal("new", LogTail.Read(Write("old\nnew\n"), 4));

    [Fact]
    public void Read_Empty_IsEmpty() => Assert.Equal("", LogTail.Read(Write(""), 0));
}
