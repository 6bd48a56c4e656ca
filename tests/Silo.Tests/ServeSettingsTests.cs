using Distributed.Core.Jobs;
using Distributed.Silo.Settings;

namespace Distributed.Silo.Tests;

public sealed class ServeSettingsTests
{
    private const string Token = "0123456789abcdef";

    [Fact]
    public void FromLifeline_GoodLine_ReadsIt()
    {
        var settings = ServeSettings.FromLifeline($$"""{"token":"{{Token}}","port":4711,"jobsRoot":"/jobs"}""");
        Assert.Equal((Token, 4711, "/jobs", null), (settings.Token, settings.Port, settings.JobsRoot, settings.DataRoot));
        Assert.Equal(System.Net.IPAddress.Loopback, settings.Network.Address);
        Assert.Equal(("silo-0", null, Environment.ProcessorCount), (settings.SiloName, settings.Primary, settings.Slots));
        Assert.False(settings.Gateway);
    }

    [Fact]
    public void FromLifeline_OfAFurtherSilo_ReadsWhatItJoins()
    {
        var settings = ServeSettings.FromLifeline(
            $$"""{"token":"{{Token}}","port":0,"jobsRoot":"/jobs","silo":"silo-3","primary":"127.0.0.1:40123","slots":2,"gateway":true}""");
        Assert.Equal(("silo-3", System.Net.IPEndPoint.Parse("127.0.0.1:40123"), 2), (settings.SiloName, settings.Primary, settings.Slots));
        Assert.True(settings.Gateway);
        var other = ServeSettings.FromLifeline("""{"token":"another token entirely","port":0,"jobsRoot":"/jobs"}""");
        Assert.NotEqual(settings.ClusterId, other.ClusterId);
        Assert.DoesNotContain(Token, settings.ClusterId, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "stdin ended")]
    [InlineData("null", "null")]
    [InlineData("{\"token\":\"0123456789abcdef\",", "not the expected JSON object")]
    [InlineData("{\"token\":\"short\",\"port\":0,\"jobsRoot\":\"/jobs\"}", "16 or more")]
    [InlineData("{\"token\":\"0123456789abcdef\",\"port\":70000,\"jobsRoot\":\"/jobs\"}", "70000")]
    [InlineData("{\"token\":\"0123456789abcdef\",\"port\":0,\"jobsRoot\":\"jobs\"}", "absolute folder")]
    [InlineData("{\"token\":\"0123456789abcdef\",\"port\":0,\"jobsRoot\":\"/jobs\",\"primary\":\"10.0.0.1:4000\"}", "loopback endpoint")]
    [InlineData("{\"token\":\"0123456789abcdef\",\"port\":0,\"jobsRoot\":\"/jobs\",\"silo\":\"a/b\"}", "silo: found 'a/b'")]
    [InlineData("{\"token\":\"0123456789abcdef\",\"port\":0,\"jobsRoot\":\"/jobs\",\"slots\":0}", "slots: found 0")]
    public void FromLifeline_BadLine_SaysWhatIsWrongWithoutTheToken(string? line, string expected)
    {
        var error = Assert.Throws<JobException>(() => ServeSettings.FromLifeline(line));
        Assert.Equal("settings-invalid", error.Code);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Token, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FromEnvironment_Missing_NamesTheVariable() => Assert.Contains(
        "DTRAIN_TOKEN_FILE", Assert.Throws<JobException>(() => ServeSettings.FromEnvironment(_ => null)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("DTRAIN_STOP_SECONDS", "soon", "DTRAIN_STOP_SECONDS: found 'soon', expected 0 to 86400.")]
    [InlineData("DTRAIN_DRAIN_SECONDS", "-1", "DTRAIN_DRAIN_SECONDS: found '-1', expected 0 to 86400.")]
    [InlineData("DTRAIN_DISK_LIMIT", "50 GB", "DTRAIN_DISK_LIMIT: found '50 GB', expected an amount such as 8GiB or 512MiB.")]
    [InlineData("DTRAIN_PREEMPT", "yes", "DTRAIN_PREEMPT: found 'yes', expected on or off.")]
    [InlineData("DTRAIN_RUN_LIMIT", "8", "DTRAIN_RUN_LIMIT: found '8', expected a duration from 1s to 365d")]
    public void FromEnvironment_WrongValue_SaysWhatIsExpected(string variable, string value, string expected)
    {
        var token = Path.GetTempFileName();
        try
        {
            File.WriteAllText(token, Token);
            string? Get(string name) => name == variable
                ? value
                : name switch { "DTRAIN_TOKEN_FILE" => token, "DTRAIN_JOBS_ROOT" => "/jobs", "DTRAIN_DATA_ROOT" => "/data", _ => null };
            Assert.StartsWith(
                expected, Assert.Throws<JobException>(() => ServeSettings.FromEnvironment(Get)).Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(token);
        }
    }

    [Fact]
    public void FromEnvironment_FolderForTheTokenFile_IsCalledOne() => Assert.Equal(
        "DTRAIN_TOKEN_FILE: / is a folder, expected the file that holds the token.",
        Assert.Throws<JobException>(() => ServeSettings.FromEnvironment(name => name == "DTRAIN_TOKEN_FILE" ? "/" : null)).Message);
}
