using System.Text.Json;
using Distributed.Core.Users;
using Distributed.Testing;

namespace Distributed.Client.Tests.Commands;

public sealed class UsersCommandTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task Add_NewFile_HoldsTheDigestOfThePrintedToken()
    {
        var file = directory.File("users.json");
        var (code, output, error) = await Dtrain.RunAsync(
            "users", "add", file, "ann", "--role", "submit", "--ranks", "4", "--jobs", "2", "--run", "90m", "--max-priority", "7");
        Assert.Equal(0, code);
        var token = output.TrimEnd('\n');
        Assert.Matches("^[0-9a-f]{64}$", token);
        Assert.DoesNotContain(token, error, StringComparison.Ordinal);
        Assert.DoesNotContain(token, await File.ReadAllTextAsync(file), StringComparison.Ordinal);
        Assert.Equal(
            [
                new UserEntry("ann", UserRole.Submit, AccessToken.DigestHex(token))
                {
                    Ranks = 4,
                    Jobs = 2,
                    Run = TimeSpan.FromMinutes(90),
                    MaxPriority = 7,
                },
            ],
            UsersFile.Load(file).Users);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
    }

    [Fact]
    public async Task Add_SecondUser_KeepsTheFirstAndLosesItsClearToken()
    {
        var file = directory.Write("users.json", """{"users":[{"name":"ann","role":"view","token":"the clear token of ann"}]}""");
        Assert.Equal(0, (await Dtrain.RunAsync("users", "add", file, "bob", "--role", "admin")).Code);
        Assert.Equal(["ann", "bob"], UsersFile.Load(file).Users.Select(user => user.Name));
        Assert.Equal(AccessToken.DigestHex("the clear token of ann"), UsersFile.Load(file).Users[0].TokenSha256);
        Assert.DoesNotContain("clear", await File.ReadAllTextAsync(file), StringComparison.Ordinal);
        Assert.Single(Directory.GetFiles(directory.Path));
    }

    [Fact]
    public async Task Add_ThroughALink_ChangesWhatItPointsTo()
    {
        var file = directory.File("users.json");
        File.CreateSymbolicLink(directory.File("link.json"), file);
        await File.WriteAllTextAsync(file, """{"users":[]}""");
        Assert.Equal(0, (await Dtrain.RunAsync("users", "add", directory.File("link.json"), "ann", "--role", "view")).Code);
        Assert.Single(UsersFile.Load(file).Users);
        Assert.NotNull(new FileInfo(directory.File("link.json")).LinkTarget);
    }

    [Theory]
    [InlineData("The user 'ANN' is already in", "ANN", "--role", "view")]
    [InlineData("NAME: found 'a b', expected 1 to 64 letters", "a b", "--role", "view")]
    [InlineData("'root' not recognized", "bob", "--role", "root")]
    [InlineData("'--role' is required", "bob")]
    [InlineData("--ranks: found '0'", "bob", "--role", "view", "--ranks", "0")]
    [InlineData("--run: found '8', expected a duration from 1s to 365d", "bob", "--role", "view", "--run", "8")]
    [InlineData(
        "--max-priority: found '1001', expected a whole number from -1000 to 1000", "bob", "--role", "view", "--max-priority", "1001")]
    public async Task Add_Wrong_Exits2AndChangesNothing(string message, params string[] arguments)
    {
        const string before = """{"users":[{"name":"ann","role":"view","token":"the clear token of ann"}]}""";
        var file = directory.Write("users.json", before);
        var (code, output, error) = await Dtrain.RunAsync(["users", "add", file, .. arguments]);
        Assert.Equal(2, code);
        Assert.Empty(output);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.Equal(before, await File.ReadAllTextAsync(file));
    }

    [Fact]
    public async Task Add_BrokenFile_Exits2WithItsErrorsAndChangesNothing()
    {
        var file = directory.Write("users.json", """{"users":[{"name":"ann"}]}""");
        var (code, _, error) = await Dtrain.RunAsync("users", "add", file, "bob", "--role", "view");
        Assert.Equal(2, code);
        Assert.Contains($"{file}:1:11: users[0].role: missing, expected one of view, submit, admin", error, StringComparison.Ordinal);
        Assert.Single(Directory.GetFiles(directory.Path));
    }

    [Fact]
    public async Task Add_FolderMissing_Exits1() =>
        Assert.Equal(1, (await Dtrain.RunAsync("users", "add", directory.File("none/users.json"), "ann", "--role", "view")).Code);

    [Fact]
    public async Task List_Users_ShowsRolesAndQuotasAndNoDigest()
    {
        var file = directory.Write("users.json", UsersFile.Write(
        [
            new UserEntry("ann", UserRole.Submit, new string('a', 64)) { Ranks = 4, Run = TimeSpan.FromHours(8), Disk = 50L << 30 },
            new UserEntry("root", UserRole.Admin, new string('b', 64)),
        ]));
        var (code, table, _) = await Dtrain.RunAsync("users", "list", file);
        Assert.Equal(0, code);
        Assert.Equal(
            "NAME  ROLE    RANKS  JOBS  QUEUED  RUN  DISK    MAX PRIORITY\nann   submit  4      -     2000    8h   50 GiB  0\n"
            + "root  admin   -      -     2000    -    -       any\n", table);
        var (_, json, _) = await Dtrain.RunAsync("users", "list", file, "--json");
        Assert.Equal(("ann", 4), (JsonDocument.Parse(json).RootElement[0].GetProperty("name").GetString(),
            JsonDocument.Parse(json).RootElement[0].GetProperty("ranks").GetInt32()));
        Assert.DoesNotContain("aaaa", json, StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_MissingFile_Exits2() =>
        Assert.Equal(2, (await Dtrain.RunAsync("users", "list", directory.File("none.json"))).Code);
}
