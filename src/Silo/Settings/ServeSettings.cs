using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Distributed.Core.Jobs;
using Distributed.Core.Users;
using Distributed.Core.Values;
using Distributed.Silo.Failures;
using Distributed.Silo.Security;

namespace Distributed.Silo.Settings;

/// <summary>How this silo meets its clients and where it keeps its files.</summary>
internal sealed record ServeSettings
{
    public const string DefaultName = "silo-0";
    public const string DefaultCluster = "dtrain";
    public const string DefaultPort = "5010";
    public const int DefaultDrainSeconds = 90;
    public const int DefaultStopSeconds = 10;

    /// <summary>What clients must present; at least 16 characters. In a cluster it is that of the user <c>admin</c>.</summary>
    /// <value>Empty: only the users of <see cref="UsersFile"/> are let in.</value>
    public required string Token { get; init; }

    /// <summary>File that names the users of a cluster; read again when it changes.</summary>
    public string? UsersFile { get; init; }

    /// <summary>The silo belongs to one client, who starts and ends it.</summary>
    public bool HasOneClient => DataRoot is null;

    /// <summary>Addresses and certificates.</summary>
    public NetworkSettings Network { get; init; } = new();

    /// <value>Of the gRPC endpoint; 0: any free port.</value>
    public int Port { get; init; }

    /// <summary>Folder of the jobs' own files, absolute.</summary>
    public required string JobsRoot { get; init; }

    /// <summary>Folder that job files' paths are relative to and may not leave; null: they are absolute and free.</summary>
    public string? DataRoot { get; init; }

    /// <summary>Unique within the cluster.</summary>
    public string SiloName { get; init; } = DefaultName;

    /// <summary>Silos with another one are refused.</summary>
    public string ClusterId { get; init; } = DefaultCluster;

    /// <summary>Orleans endpoint of the silo whose cluster this one joins, on loopback; null: it begins a cluster of its own.</summary>
    public IPEndPoint? Primary { get; init; }

    /// <summary>Ranks that run here without sharing a core.</summary>
    public int Slots { get; init; } = Environment.ProcessorCount;

    /// <summary>Bytes that the silo may use.</summary>
    /// <value>Null: what the machine or the container has.</value>
    public long? Memory { get; init; }

    /// <summary>Open a loopback port for Orleans clients that know the cluster's id.</summary>
    /// <value>False: grains are reached from inside the silos only.</value>
    public bool Gateway { get; init; }

    /// <summary>How long a silo that leaves waits for its jobs to write a checkpoint and go elsewhere.</summary>
    /// <value>90 s.</value>
    public TimeSpan LongestDrain { get; init; } = TimeSpan.FromSeconds(DefaultDrainSeconds);

    /// <summary>How long a job that was stopped, or that is over its limit, may take for the step in flight and its checkpoint.</summary>
    /// <value>10 s.</value>
    public TimeSpan StopPatience { get; init; } = TimeSpan.FromSeconds(DefaultStopSeconds);

    /// <summary>How long the ranks of a job may run whose user has no limit of his own; it does not bind admins.</summary>
    /// <value>Null: no limit.</value>
    public TimeSpan? RunLimit { get; init; }

    /// <summary>Bytes that the jobs of a user without a limit of his own may take below the jobs root; it does not bind admins.</summary>
    /// <value>Null: no limit.</value>
    public long? DiskLimit { get; init; }

    /// <summary>Jobs of higher priority take the silos of running ones of lower priority.</summary>
    public bool Preempts { get; init; }

    /// <summary>How silos find each other and where jobs are kept; null: this is a client's own silo.</summary>
    public ClusterSettings? Cluster { get; init; }

    /// <summary>The one line that a client writes to its own silo.</summary>
    /// <exception cref="JobException">What is wrong with it.</exception>
    public static ServeSettings FromLifeline(string? line)
    {
        if (line is null)
            throw Invalid("stdin ended before the settings: expected one JSON line {\"token\":..,\"port\":..,\"jobsRoot\":..}.");
        try
        {
            var read = JsonSerializer.Deserialize(line, ServeJson.Default.LifelineSettings)
                ?? throw Invalid("the settings on stdin are null.");
            var settings = new ServeSettings
            {
                Token = read.Token ?? "",
                Port = read.Port,
                JobsRoot = read.JobsRoot ?? "",
                Primary = ParsePrimary(read.Primary),
            };
            return Check(settings with
            {
                SiloName = read.Silo ?? settings.SiloName,
                Slots = read.Slots ?? settings.Slots,
                ClusterId = ClusterOf(settings.Token),
                Gateway = read.Gateway,
            });
        }
        catch (JsonException e)
        {
            // The line holds the token: say where it is broken, never quote it.
            throw Invalid($"the settings on stdin are not the expected JSON object (at byte {e.BytePositionInLine}).");
        }
    }

    /// <summary>
    /// A silo of a cluster: DTRAIN_TOKEN_FILE, DTRAIN_USERS_FILE, DTRAIN_JOBS_ROOT, DTRAIN_DATA_ROOT, DTRAIN_PORT, DTRAIN_DRAIN_SECONDS,
    /// DTRAIN_STOP_SECONDS, DTRAIN_RUN_LIMIT, DTRAIN_DISK_LIMIT, DTRAIN_PREEMPT and what <see cref="ClusterSettings"/> and
    /// <see cref="NetworkSettings"/> read.
    /// </summary>
    /// <exception cref="JobException">What is missing or wrong.</exception>
    public static ServeSettings FromEnvironment(Func<string, string?> variable)
    {
        var access = AccessSettings.FromEnvironment(variable);
        var port = variable("DTRAIN_PORT") ?? DefaultPort;
        if (!int.TryParse(port, out var number)) throw Invalid($"DTRAIN_PORT: found '{port}', expected a port number.");
        var cluster = ClusterSettings.FromEnvironment(variable);
        return Check(new ServeSettings
        {
            LongestDrain = Seconds(variable, "DTRAIN_DRAIN_SECONDS", DefaultDrainSeconds),
            StopPatience = Seconds(variable, "DTRAIN_STOP_SECONDS", DefaultStopSeconds),
            RunLimit = variable("DTRAIN_RUN_LIMIT") is { Length: > 0 } run
                ? DurationText.Parse(run)
                    ?? throw Invalid($"DTRAIN_RUN_LIMIT: found '{PlainText.Show(run)}', expected {DurationText.Expected}.")
                : null,
            DiskLimit = variable("DTRAIN_DISK_LIMIT") is { Length: > 0 } disk
                ? MemorySize.Parse(disk)
                    ?? throw Invalid($"DTRAIN_DISK_LIMIT: found '{PlainText.Show(disk)}', expected {MemorySize.Expected}.")
                : null,
            Preempts = variable("DTRAIN_PREEMPT") switch
            {
                null or "" or "off" => false,
                "on" => true,
                var word => throw Invalid($"DTRAIN_PREEMPT: found '{PlainText.Show(word)}', expected on or off."),
            },
            Token = access.Token,
            UsersFile = access.UsersFile,
            Port = number,
            JobsRoot = variable("DTRAIN_JOBS_ROOT")
                ?? throw Invalid("DTRAIN_JOBS_ROOT is not set; name the folder for the jobs' checkpoints."),
            DataRoot = variable("DTRAIN_DATA_ROOT")
                ?? throw Invalid("DTRAIN_DATA_ROOT is not set; name the folder that holds the jobs' data."),
            SiloName = cluster.SiloName,
            Slots = cluster.Slots,
            Memory = cluster.Memory,
            ClusterId = cluster.ClusterId,
            Primary = cluster.Primary,
            Cluster = cluster,
            Network = NetworkSettings.FromEnvironment(variable, TimeProvider.System.GetUtcNow()),
        });
    }

    /// <summary>One for each client, so that a port which once belonged to another client's silo leads nowhere.</summary>
    public static string ClusterOf(string randomToken) =>
        $"dtrain-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"cluster {randomToken}")))[..16]}";

    private static TimeSpan Seconds(Func<string, string?> variable, string name, int otherwise)
    {
        if (variable(name) is not { } text) return TimeSpan.FromSeconds(otherwise);
        return int.TryParse(text, out var seconds) && seconds is >= 0 and <= 86_400
            ? TimeSpan.FromSeconds(seconds)
            : throw Invalid($"{name}: found '{text}', expected 0 to 86400.");
    }

    private static IPEndPoint? ParsePrimary(string? text)
    {
        if (text is null) return null;
        return IPEndPoint.TryParse(text, out var primary) && IPAddress.IsLoopback(primary.Address) && primary.Port > 0
            ? primary
            : throw Invalid($"primary: found '{text}', expected a loopback endpoint such as 127.0.0.1:40123.");
    }

    private static ServeSettings Check(ServeSettings settings)
    {
        if (settings.Token.Length < AccessToken.LeastLength && settings.UsersFile is null)
            throw Invalid($"token: found {settings.Token.Length} characters, expected {AccessToken.LeastLength} or more.");
        if (settings.Port is < 0 or > 65535) throw Invalid($"port: found {settings.Port}, expected 0 to 65535.");
        if (settings.SiloName.Length is 0 or > 64 || !settings.SiloName.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-'))
            throw Invalid($"silo: found '{settings.SiloName}', expected 1 to 64 letters, digits, '.', '_' or '-'.");
        if (settings.Slots is < 1 or > 4096) throw Invalid($"slots: found {settings.Slots}, expected 1 to 4096.");
        if (!Path.IsPathFullyQualified(settings.JobsRoot))
            throw Invalid($"jobs root: found '{settings.JobsRoot}', expected an absolute folder.");
        if (settings.DataRoot is { } data && !Path.IsPathFullyQualified(data))
            throw Invalid($"data root: found '{data}', expected an absolute folder.");
        return settings;
    }

    private static JobException Invalid(string message) => new(ServeErrors.SettingsInvalid, message);
}
