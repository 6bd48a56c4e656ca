using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Distributed.Core.Documents;
using Distributed.Core.Values;

namespace Distributed.Core.Users;

/// <summary>The users of a cluster as a file: <c>{"users":[{"name":"ann","role":"submit","tokenSha256":"..."}]}</c>.</summary>
public static class UsersFile
{
    public const int MostBytes = 1 << 18;
    private const string Form = "expected JSON such as {\"users\":[{\"name\":\"ann\",\"role\":\"submit\",\"tokenSha256\":\"...\"}]}";
    private static readonly JsonSerializerOptions Indented =
        new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The users, or the errors, in the order of the file; errors quote no token.</summary>
    public static UsersResult Load(string path)
    {
        try
        {
            if (Directory.Exists(path)) return Unreadable("is a folder, expected a file of users");
            if (!File.Exists(path)) return Unreadable("no such file");
            using var stream = File.OpenRead(path);
            var bytes = new byte[MostBytes + 1];
            var length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (length > MostBytes) return Unreadable($"larger than {MostBytes} bytes, expected a file of users");
            return Read(new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes, 0, length));
        }
        catch (DecoderFallbackException)
        {
            return Unreadable("is not UTF-8 text, expected a file of users");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Unreadable($"cannot be read: {e.Message}");
        }
    }

    /// <inheritdoc cref="Load"/>
    public static UsersResult Read(string json)
    {
        var parsed = JsonSpecNodes.Parse(json);
        // The parser's own words may quote what it met, and that may be a token.
        if (parsed.Root is null)
            return new([], [.. parsed.Errors.Select(e => e.Message.StartsWith(JsonSpecNodes.Broken, StringComparison.Ordinal)
                ? new SpecError(e.At, "", $"broken JSON here; {Form}")
                : e)]);
        if (parsed.Root is not SpecNode.Map map) return new([], [new(parsed.Root.At, "", $"found no object; {Form}")]);
        var errors = new SpecErrors();
        var file = new SpecSection(map, "", errors);
        var users = file.Sections("users", "a list of users").Select(ReadUser).ToList();
        file.End();
        RefuseDoubles(users, errors);
        return errors.Count == 0
            ? new([.. users.Select(user => user.Entry)], [])
            : new([], errors.ToList());
    }

    /// <summary>The file's text; tokens stand in it as digests only.</summary>
    public static string Write(IEnumerable<UserEntry> users) =>
        new JsonObject { ["users"] = new JsonArray([.. users.Select(ToObject)]) }.ToJsonString(Indented) + "\n";

    /// <summary>Why a name is none; null when it is one.</summary>
    public static string? RefuseName(string name) =>
        name.Length is >= 1 and <= 64 && char.IsAsciiLetterOrDigit(name[0])
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or '@')
            ? null
            : "expected 1 to 64 letters, digits, '.', '_', '-' or '@', the first a letter or digit";

    private static (SpecSection Section, UserEntry Entry) ReadUser(SpecSection user)
    {
        var name = user.Text("name", required: true);
        if (name is not null && RefuseName(name) is { } refusal) user.Fail("name", $"found '{PlainText.Show(name)}', {refusal}");
        var role = user.Word("role", UserRoles.Words, required: true);
        var token = user.Secret("token", AccessToken.Form, AccessToken.IsValid);
        var digest = user.Secret("tokenSha256", "64 hexadecimal digits", text => text.Length == 64 && text.All(char.IsAsciiHexDigit));
        if (user.Has("token") == user.Has("tokenSha256"))
            user.Fail("token", "expected exactly one of token and tokenSha256; 'dtrain users add' creates them");
        var entry = new UserEntry(
            name ?? "", role is null ? UserRole.View : UserRoles.Parse(role)!.Value,
            token is null ? (digest ?? "").ToLowerInvariant() : AccessToken.DigestHex(token))
        {
            Ranks = (int?)user.Whole("ranks", 1, 1_000_000),
            Jobs = (int?)user.Whole("jobs", 1, 1_000_000),
            Queued = (int?)user.Whole("queued", 1, 1_000_000),
            Run = user.Duration("run"),
            Disk = user.Bytes("disk"),
            MaxPriority = (int?)user.Whole("maxPriority", UserEntry.LeastPriority, UserEntry.MostPriority) ?? 0,
        };
        user.End();
        return (user, entry);
    }

    private static void RefuseDoubles(List<(SpecSection Section, UserEntry Entry)> users, SpecErrors errors)
    {
        if (errors.Count > 0) return;
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var owners = new Dictionary<string, string>();
        foreach (var (section, user) in users)
        {
            if (!names.Add(user.Name)) section.Fail("name", $"found the user '{user.Name}' twice, expected once");
            if (!owners.TryAdd(user.TokenSha256, user.Name))
                section.Fail(
                    section.Has("token") ? "token" : "tokenSha256",
                    $"is the token of '{owners[user.TokenSha256]}' too, expected one of the user's own");
        }
    }

    private static JsonObject ToObject(UserEntry user)
    {
        var json = new JsonObject { ["name"] = user.Name, ["role"] = user.Role.Word(), ["tokenSha256"] = user.TokenSha256 };
        if (user.Ranks is { } ranks) json["ranks"] = ranks;
        if (user.Jobs is { } jobs) json["jobs"] = jobs;
        if (user.Queued is { } queued) json["queued"] = queued;
        if (user.Run is { } run) json["run"] = DurationText.Write(run);
        if (user.Disk is { } disk) json["disk"] = MemorySize.Exact(disk);
        if (user.MaxPriority != 0) json["maxPriority"] = user.MaxPriority;
        return json;
    }

    private static UsersResult Unreadable(string message) => new([], [new(default, "", message)]);
}

/// <param name="Users">Empty when there are errors.</param>
public sealed record UsersResult(IReadOnlyList<UserEntry> Users, IReadOnlyList<SpecError> Errors);
