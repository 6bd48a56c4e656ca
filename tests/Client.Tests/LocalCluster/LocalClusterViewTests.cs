using System.Text.Json;
using Distributed.Client.LocalCluster;

namespace Distributed.Client.Tests.LocalCluster;

public sealed class LocalClusterViewTests
{
    private static readonly RunningCluster Running = new(new ClusterFolder("/home/ann's/c"), new ClusterLayout(3, 1), [], 0);

    [Fact]
    public void Write_Lines_AreForAShellAndTheTalkIsNot()
    {
        using StringWriter output = new(), error = new();
        LocalClusterView.Write(Running, output, error, isRead: true, named: null);
        Assert.Equal("export DTRAIN_CLUSTER=''\nexport DTRAIN_TOKEN_FILE='/home/ann'\\''s/c/token'\n", output.ToString());
        Assert.Contains("A cluster of 3 silos with 1 slot each runs already in /home/ann's/c.", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("End it: dtrain cluster down\n", error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("eval", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Write_NamedFolderOnATerminal_TheNextCommandsNameIt()
    {
        using StringWriter output = new(), error = new();
        LocalClusterView.Write(Running with { Started = 3 }, output, error, isRead: false, named: "c");
        Assert.Contains("""eval "$(dtrain cluster up --dir '/home/ann'\''s/c')""", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("""dtrain cluster down --dir '/home/ann'\''s/c'""", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Endings_InWordsAndJson()
    {
        SiloEnding[] ended = [new("silo-0", SiloEnd.Left), new("silo-1", SiloEnd.GoneBefore), new("silo-2", SiloEnd.Killed)];
        using StringWriter output = new(), none = new();
        LocalClusterView.Write(Running.Folder, ended, output);
        Assert.StartsWith(
            "silo-0: left\nsilo-1: was gone already\nsilo-2: killed because it did not leave in time", output.ToString(),
            StringComparison.Ordinal);
        LocalClusterView.Write(Running.Folder, [], none);
        Assert.Equal("No silo of /home/ann's/c runs.\n", none.ToString());
        var json = JsonDocument.Parse(LocalClusterView.Json(Running.Folder, ended)).RootElement;
        Assert.Equal(
            ["left", "gone", "killed"], json.GetProperty("silos").EnumerateArray().Select(silo => silo.GetProperty("end").GetString()!));
    }
}
