using System.Security.Cryptography;
using Distributed.Core.Jobs;
using Distributed.Core.Users;
using Distributed.Grains.Contracts;
using Distributed.Silo.Failures;
using Distributed.Silo.Settings;

namespace Distributed.Silo.Gateway;

/// <summary>The users that the endpoint lets in; their file is read again when it changes.</summary>
internal sealed partial class UserRegistry : IUserQuotas
{
    /// <summary>User of <c>DTRAIN_TOKEN_FILE</c>.</summary>
    public const string AdminName = "admin";

    /// <summary>A change of the file counts after this long at the latest.</summary>
    private static readonly TimeSpan LookPeriod = TimeSpan.FromSeconds(1);

    private readonly ServeSettings settings;
    private readonly TimeProvider time;
    private readonly ILogger<UserRegistry> logger;
    private readonly Lock gate = new();
    private Users users;
    private string? warned;
    private long looked;

    /// <exception cref="JobException">The file cannot be read or is wrong: all errors, a line each.</exception>
    public UserRegistry(ServeSettings settings, TimeProvider time, ILogger<UserRegistry> logger)
    {
        (this.settings, this.time, this.logger) = (settings, time, logger);
        var (read, problem) = Read();
        users = read ?? throw new JobException(ServeErrors.SettingsInvalid, $"{AccessSettings.UsersVariable}:\n{problem}");
        looked = time.GetTimestamp();
    }

    /// <returns>Null when no user has this token.</returns>
    public Caller? Find(string token)
    {
        var presented = AccessToken.Digest(token);
        Caller? found = null;
        // All are compared, so that the time tells nothing of which one it was.
        foreach (var (digest, caller) in Current().ByDigest)
            if (CryptographicOperations.FixedTimeEquals(presented, digest)) found = caller;
        return found;
    }

    public UserQuota Of(string user) => Current().Quotas.GetValueOrDefault(user);

    private Users Current()
    {
        if (settings.UsersFile is null) return users;
        lock (gate)
        {
            if (time.GetElapsedTime(looked) < LookPeriod) return users;
            var (read, problem) = Read();
            looked = time.GetTimestamp();
            if (read is not null) users = read;
            else if (problem != warned) LogBroken(problem);
            warned = problem;
            return users;
        }
    }

    /// <returns>The users, or what is wrong with their file.</returns>
    private (Users? Users, string Problem) Read()
    {
        List<UserEntry> entries = [];
        if (settings.UsersFile is { } file)
        {
            var read = UsersFile.Load(file);
            if (read.Errors.Count > 0) return (null, string.Join('\n', read.Errors.Select(error => error.Format(file))));
            entries.AddRange(read.Users);
        }

        if (settings.Token.Length > 0)
        {
            UserEntry owner = new(settings.HasOneClient ? "" : AdminName, UserRole.Admin, AccessToken.DigestHex(settings.Token));
            if (entries.Find(entry => entry.Name == owner.Name || entry.TokenSha256 == owner.TokenSha256) is { } twice)
                return (null,
                    $"{settings.UsersFile}: the user '{twice.Name}' has the name or the token of the user '{owner.Name}' of "
                    + $"{AccessSettings.TokenVariable}; expected another one, or that variable unset.");
            entries.Add(owner);
        }

        return entries.Count > 0
            ? (new Users(entries, settings.RunLimit, settings.DiskLimit), "")
            : (null, $"{settings.UsersFile}: found no user, expected at least one; 'dtrain users add' adds one.");
    }

    [LoggerMessage(
        4201, LogLevel.Warning,
        "The file of users is broken, so those read before stay:\n{Problem}\nCorrect it; it is read again when it changes.")]
    private partial void LogBroken(string problem);

    private sealed class Users(IReadOnlyList<UserEntry> entries, TimeSpan? longestRun, long? mostDisk)
    {
        public IReadOnlyList<(byte[] Digest, Caller Caller)> ByDigest { get; } = [.. entries.Select(entry =>
            (Convert.FromHexString(entry.TokenSha256),
                new Caller(entry.Name, entry.Role, entry.Role == UserRole.Admin ? UserEntry.MostPriority : entry.MaxPriority)))];

        public IReadOnlyDictionary<string, UserQuota> Quotas { get; } = entries.ToDictionary(entry => entry.Name, entry => new UserQuota(
            entry.Ranks, entry.Jobs, entry.Name.Length == 0 ? null : entry.Queued ?? UserEntry.DefaultQueued,
            entry.Run ?? (entry.Role == UserRole.Admin ? null : longestRun),
            entry.Disk ?? (entry.Role == UserRole.Admin ? null : mostDisk)));
    }
}
