using Distributed.Core.Users;

namespace Distributed.Core.Tests.Users;

public sealed class UsersFileTests
{
    private const string Token = "correct horse battery";

    [Fact]
    public void Read_GoodFile_HoldsDigestsInPlaceOfTokens()
    {
        var hex = new string('A', 64);
        var read = UsersFile.Read($$"""
            {"users":[
              {"name":"ann","role":"submit","token":"{{Token}}","ranks":4,"jobs":2,"run":"8h","disk":"50 GiB","maxPriority":5},
              {"name":"eve@example","role":"view","tokenSha256":"{{hex}}"}]}
            """);
        Assert.Empty(read.Errors);
        Assert.Equal(
            new UserEntry("ann", UserRole.Submit, AccessToken.DigestHex(Token))
            {
                Ranks = 4,
                Jobs = 2,
                Run = TimeSpan.FromHours(8),
                Disk = 50L << 30,
                MaxPriority = 5,
            },
            read.Users[0]);
        Assert.Equal(new UserEntry("eve@example", UserRole.View, new string('a', 64)), read.Users[1]);
    }

    [Fact]
    public void Write_Users_ReadsBackAsTheyWere()
    {
        UserEntry[] users =
        [
            new("ann", UserRole.Submit, AccessToken.DigestHex(Token))
            {
                Ranks = 4,
                Jobs = 2,
                Run = TimeSpan.FromMinutes(90),
                Disk = 3L << 20,
                MaxPriority = -5,
            },
            new("root", UserRole.Admin, AccessToken.DigestHex("another token of the kind")),
        ];
        Assert.Equal(users, UsersFile.Read(UsersFile.Write(users)).Users);
        Assert.Empty(UsersFile.Read(UsersFile.Write([])).Users);
    }

    [Theory]
    [InlineData(
        """{"users":[{"name":"ann","role":"submit","token":"correct horse battery","quota":1}]}""", "1:73: users[0].quota: unknown key")]
    [InlineData(
        """{"users":[{"name":"ann","role":"root","token":"correct horse battery"}]}""",
        "users[0].role: found the text 'root', expected one of view, submit, admin")]
    [InlineData(
        """{"users":[{"name":"../ann","role":"view","token":"correct horse battery"}]}""",
        "users[0].name: found '../ann', expected 1 to 64 letters")]
    [InlineData(
        """{"users":[{"name":"ann","role":"view","token":"correct horse"}]}""",
        "users[0].token: found a text of 13 characters, expected 16")]
    [InlineData(
        """{"users":[{"name":"ann","role":"view","token":"correct\nhorse battery"}]}""", "users[0].token: found a text of 21 characters")]
    [InlineData(
        """{"users":[{"name":"ann","role":"view","tokenSha256":"correct horse battery"}]}""",
        "users[0].tokenSha256: found a text of 21 characters, expected 64 hexadecimal digits")]
    [InlineData("""{"users":[{"name":"ann","role":"view","token":12345678901234567}]}""", "users[0].token: found no text")]
    [InlineData("""{"users":[{"name":"ann","role":"view"}]}""", "users[0].token: expected exactly one of token and tokenSha256")]
    [InlineData(
        """{"users":[{"name":"ann","role":"view","token":"correct horse battery","ranks":0}]}""",
        "users[0].ranks: found 0, expected a whole number from 1")]
    [InlineData(
        """{"users":[{"name":"ann","role":"view","token":"correct horse battery","disk":"much"}]}""",
        "users[0].disk: found the text 'much', expected an amount such as 8GiB or 512MiB")]
    [InlineData("""{"users":[{"name":"ann","role":"view","token":"correct horse battery","maxPriority":1001}]}""", "from -1000 to 1000")]
    [InlineData(
        """{"users":[{"name":"ann","role":"view","token":"correct horse battery","run":"0h"}]}""",
        "users[0].run: found the text '0h', expected a duration from 1s")]
    [InlineData("""{"users":["correct horse battery"]}""", "users[0]: found no mapping")]
    [InlineData("""{"users":"correct horse battery"}""", "users: found no list")]
    [InlineData("""["correct horse battery"]""", "found no object")]
    [InlineData("{}", "users: missing")]
    [InlineData("{\"users\":[\n{\"name\":\"ann\",\"token\":tcorrect horse battery}]}", "broken JSON here")]
    [InlineData("", "broken JSON here")]
    public void Read_WrongFile_SaysWhereAndQuotesNoToken(string json, string expected)
    {
        var read = UsersFile.Read(json);
        Assert.Empty(read.Users);
        Assert.Contains(read.Errors, error => error.ToString().Contains(expected, StringComparison.Ordinal));
        Assert.DoesNotContain(read.Errors, error => error.ToString().Contains("horse", StringComparison.Ordinal));
    }

    [Fact]
    public void Read_Doubles_AreBothNamed()
    {
        var read = UsersFile.Read($$"""
            {"users":[
              {"name":"ann","role":"view","token":"{{Token}}"},
              {"name":"Ann","role":"view","token":"another token of the kind"},
              {"name":"bob","role":"view","tokenSha256":"{{AccessToken.DigestHex(Token)}}"}]}
            """);
        Assert.Equal(
            ["3:11: users[1].name: found the user 'Ann' twice, expected once",
                "4:45: users[2].tokenSha256: is the token of 'ann' too, expected one of the user's own"],
            read.Errors.Select(error => error.ToString()));
    }

    [Fact]
    public void Read_SeveralErrors_AreToldAtOnce() => Assert.Equal(4, UsersFile.Read(
        """{"users":[{"name":"","role":"x","token":"short","jobs":-1}]}""").Errors.Count);

    [Fact]
    public void Load_MissingFile_SaysSo() =>
        Assert.Equal("/nowhere/users.json: no such file", UsersFile.Load("/nowhere/users.json").Errors[0].Format("/nowhere/users.json"));

    [Theory]
    [InlineData("a token for this test alone", true)]
    [InlineData("0123456789abcdef", true)]
    [InlineData("0123456789abcde", false)]
    [InlineData(" 0123456789abcdef", false)]
    [InlineData("0123456789abcdef\n", false)]
    [InlineData("0123456789abcdéf", false)]
    public void AccessToken_IsValid_HoldsItsForm(string token, bool valid) => Assert.Equal(valid, AccessToken.IsValid(token));
}
