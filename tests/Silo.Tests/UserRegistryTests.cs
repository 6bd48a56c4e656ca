using Distributed.Core.Jobs;
using Distributed.Core.Users;
using Distributed.Grains.Contracts;
using Distributed.Silo.Gateway;
using Distributed.Silo.Settings;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Distributed.Silo.Tests;

public sealed class UserRegistryTests : IDisposable
{
    private const string AnnsToken = "the token of ann, long";
    private const string AdminToken = "the token of the operator";

    private readonly string file = Path.GetTempFileName();
    private readonly FakeTimeProvider time = new();
    private readonly Warnings warnings = new();

    public void Dispose() => File.Delete(file);

    [Fact]
    public void Find_UsersOfBothFiles_AreWhoTheyAre()
    {
        Write(Ann with { MaxPriority = 7 }, new UserEntry("eve", UserRole.View, AccessToken.DigestHex("the token of eve, long")));
        var users = Registry(AdminToken);
        Assert.Equal(new Caller("ann", UserRole.Submit, 7), users.Find(AnnsToken));
        Assert.Equal(new Caller("eve", UserRole.View, 0), users.Find("the token of eve, long"));
        Assert.Equal(new Caller("admin", UserRole.Admin, 1000), users.Find(AdminToken));
        Assert.Null(users.Find(AnnsToken + " "));
        Assert.Null(users.Find(""));
    }

    [Fact]
    public void Find_OneClient_IsTheUserWithoutName()
    {
        UserRegistry users = new(new ServeSettings { Token = AdminToken, JobsRoot = "/jobs" }, time, warnings);
        Assert.Equal(new Caller("", UserRole.Admin, 1000), users.Find(AdminToken));
    }

    [Fact]
    public void Of_Users_HaveTheirQuotasAndOthersNone()
    {
        Write(
            Ann with { Ranks = 4, Jobs = 2 },
            new UserEntry("bob", UserRole.Submit, AccessToken.DigestHex("the token of bob, long")) { Queued = 3 });
        var users = Registry();
        Assert.Equal(new UserQuota(null, null, 3), users.Of("bob"));
        Assert.Equal(new UserQuota(4, 2, 2000), users.Of("ann"));
        Assert.Equal(default, users.Of("nobody"));
    }

    /// <summary>The cluster's limit is for those who have none of their own, and not for admins.</summary>
    [Fact]
    public void Of_RunLimit_IsTheUsersOwnOrTheClusters()
    {
        Write(Ann with { Run = TimeSpan.FromHours(99) }, new("bob", UserRole.Submit, AccessToken.DigestHex("the token of bob, long")), new(
            "root", UserRole.Admin, AccessToken.DigestHex("the token of root, long")));
        var users = Registry(longestRun: TimeSpan.FromHours(8));
        Assert.Equal(
            [TimeSpan.FromHours(99), TimeSpan.FromHours(8), null], new[] { "ann", "bob", "root" }.Select(user => users.Of(user).Run));
        Assert.Null(Registry().Of("bob").Run);
    }

    [Fact]
    public void Of_DiskLimit_IsTheUsersOwnOrTheClusters()
    {
        Write(Ann with { Disk = 3L << 30 }, new("bob", UserRole.Submit, AccessToken.DigestHex("the token of bob, long")), new(
            "root", UserRole.Admin, AccessToken.DigestHex("the token of root, long")));
        Assert.Equal([3L << 30, 1L << 30, null], new[] { "ann", "bob", "root" }.Select(user => Registry(mostDisk: 1L << 30).Of(user).Disk));
        Assert.Null(Registry().Of("bob").Disk);
    }

    [Fact]
    public void Find_FileChanges_CountsAfterASecond()
    {
        Write(Ann);
        var users = Registry();
        Write(Ann with { TokenSha256 = AccessToken.DigestHex("another token of ann") });
        Assert.NotNull(users.Find(AnnsToken));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(users.Find(AnnsToken));
        Assert.NotNull(users.Find("another token of ann"));
        Assert.Empty(warnings.Lines);
    }

    [Fact]
    public void Find_FileBreaks_KeepsTheUsersAndWarnsOnce()
    {
        Write(Ann);
        var users = Registry();
        File.WriteAllText(file, """{"users":[{"name":"ann","role":"submit","token":"short secret"}]}""");
        for (var look = 0; look < 3; look++)
        {
            time.Advance(TimeSpan.FromSeconds(2));
            Assert.NotNull(users.Find(AnnsToken));
        }

        File.Delete(file);
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.NotNull(users.Find(AnnsToken));
        Assert.Equal(2, warnings.Lines.Count);
        Assert.Contains($"{file}:1:49: users[0].token: found a text of 12 characters", warnings.Lines[0], StringComparison.Ordinal);
        Assert.Contains("no such file", warnings.Lines[1], StringComparison.Ordinal);
        Assert.DoesNotContain(warnings.Lines, line => line.Contains("secret", StringComparison.Ordinal));
    }

    [Fact]
    public void Create_FileIsWrong_NamesTheVariableAndTheErrors()
    {
        File.WriteAllText(file, """{"users":[{"name":"ann","role":"root"}]}""");
        var error = Assert.Throws<JobException>(() => Registry());
        Assert.Equal("settings-invalid", error.Code);
        var lines = error.Message.Split('\n');
        Assert.Equal("DTRAIN_USERS_FILE:", lines[0]);
        Assert.StartsWith($"{file}:1:11: users[0].token: expected exactly one", lines[1], StringComparison.Ordinal);
        Assert.StartsWith($"{file}:1:32: users[0].role: found the text 'root'", lines[2], StringComparison.Ordinal);
    }

    [Fact]
    public void Create_NobodyAtAll_IsRefused()
    {
        Write();
        Assert.Contains("found no user", Assert.Throws<JobException>(() => Registry()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_AdminTwice_IsRefused()
    {
        Write(Ann with { Name = "admin" });
        Assert.Contains(
            "the user 'admin' has the name or the token", Assert.Throws<JobException>(() => Registry(AdminToken)).Message,
            StringComparison.Ordinal);
    }

    private static UserEntry Ann => new("ann", UserRole.Submit, AccessToken.DigestHex(AnnsToken));

    private void Write(params UserEntry[] users) => File.WriteAllText(file, UsersFile.Write(users));

    private UserRegistry Registry(string token = "", TimeSpan? longestRun = null, long? mostDisk = null) =>
        new(
            new ServeSettings
            {
                Token = token,
                UsersFile = file,
                JobsRoot = "/jobs",
                DataRoot = "/data",
                RunLimit = longestRun,
                DiskLimit = mostDisk,
            },
            time, warnings);

    private sealed class Warnings : ILogger<UserRegistry>
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Add(formatter(state, exception));
    }
}
