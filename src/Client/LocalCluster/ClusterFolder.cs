using System.Text;
using System.Text.Json;
using Distributed.Client.Outcomes;
using Distributed.Client.Silo;
using Distributed.Client.Users;
using Distributed.Core.Users;

namespace Distributed.Client.LocalCluster;

/// <summary>Where a cluster of this machine keeps its user, token, data, jobs and the traces of its silos; outlives the silos.</summary>
/// <param name="Root">Absolute.</param>
internal sealed record ClusterFolder(string Root)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnersFolder = OwnerOnly | UnixFileMode.UserExecute;

    public string UsersFile => Path.Combine(Root, "users.json");

    public string TokenFile => Path.Combine(Root, "token");

    public string Data => Path.Combine(Root, "data");

    public string Jobs => Path.Combine(Root, "jobs");

    /// <summary>Where silos say which machine they run on, again and again.</summary>
    public string Marks => Path.Combine(Jobs, ".silos");

    public string LockFile => Path.Combine(Root, "lock");

    private string LayoutFile => Path.Combine(Root, "cluster.json");

    /// <param name="variable">The environment.</param>
    /// <returns>The named folder, or the one that all terminals of a user share.</returns>
    /// <exception cref="CommandFailure">There is no home.</exception>
    public static ClusterFolder Find(string? named, Func<string, string?> variable)
    {
        if (!string.IsNullOrEmpty(named)) return new(Path.GetFullPath(named));
        // The standard has a relative one ignored.
        if (variable("XDG_STATE_HOME") is { } state && Path.IsPathFullyQualified(state))
            return new(Path.Combine(state, "dtrain", "cluster"));
        return variable("HOME") is { } home && Path.IsPathFullyQualified(home)
            ? new(Path.Combine(home, ".local", "state", "dtrain", "cluster"))
            : throw new CommandFailure(
                ExitCode.Usage, "Neither HOME nor XDG_STATE_HOME names a folder. Name the cluster's folder with --dir DIR.");
    }

    /// <returns>What silos there are to be; null when none was ever started here.</returns>
    /// <exception cref="CommandFailure">The file is broken.</exception>
    public ClusterLayout? ReadLayout()
    {
        if (!File.Exists(LayoutFile)) return null;
        try
        {
            if (JsonSerializer.Deserialize(File.ReadAllText(LayoutFile), ClusterLayoutJson.Default.ClusterLayout)
                is { Silos: > 0, Slots: > 0 } layout) return layout;
        }
        catch (JsonException)
        {
            // Said below.
        }

        throw new CommandFailure(
            ExitCode.Usage,
            $"'{LayoutFile}' is not as 'dtrain cluster up' writes it. Name another folder with --dir, or remove that file.");
    }

    public void Write(ClusterLayout layout) =>
        WriteOwned(LayoutFile, JsonSerializer.Serialize(layout, ClusterLayoutJson.Default.ClusterLayout) + "\n");

    /// <summary>The silos that were started here, whether or not they still run; by number.</summary>
    public IReadOnlyList<SiloFiles> Silos() =>
    [
        .. (Directory.Exists(Root) ? Directory.EnumerateFiles(Root, "silo-*.pid") : [])
            .Select(file => int.TryParse(Path.GetFileNameWithoutExtension(file).AsSpan("silo-".Length), out var number) ? number : -1)
            .Where(number => number >= 0).Order().Select(Silo),
    ];

    public SiloFiles Silo(int number) => new(Root, number);

    /// <summary>Makes the folder where it is missing.</summary>
    /// <exception cref="CommandFailure">It belongs to something else, or to everybody.</exception>
    public void Open()
    {
        if (OperatingSystem.IsWindows()) throw new PlatformNotSupportedException();
        if (File.Exists(Root)) throw new CommandFailure(ExitCode.Usage, $"'{Root}' is a file, expected a folder for the cluster.");
        if (!Directory.Exists(Root)) Directory.CreateDirectory(Root, OwnersFolder);
        else if (!File.Exists(LayoutFile) && !File.Exists(LockFile) && Directory.EnumerateFileSystemEntries(Root).Any())
            throw new CommandFailure(
                ExitCode.Usage, $"'{Root}' holds other files. Name a new or empty folder for the cluster, or leave --dir out.");
        if ((File.GetUnixFileMode(Root) & UnixFileMode.OtherWrite) != 0)
            throw new CommandFailure(
                ExitCode.Usage,
                $"Everybody may write to '{Root}', and could name any process there to be ended. Remove that right (chmod o-w), "
                + "or name another folder with --dir.");
    }

    /// <summary>Makes what is missing in it; none of that can be read by others.</summary>
    /// <exception cref="CommandFailure">The token is gone.</exception>
    public void Fill(string userName)
    {
        if (OperatingSystem.IsWindows()) throw new PlatformNotSupportedException();
        Directory.CreateDirectory(Data, OwnersFolder);
        Directory.CreateDirectory(Jobs, OwnersFolder);
        if (!File.Exists(UsersFile)) AddUser(userName);
        else if (!File.Exists(TokenFile))
            throw new CommandFailure(
                ExitCode.Usage, $"'{UsersFile}' is there, but not the token '{TokenFile}'. Remove the former, and both are created again.");
    }

    /// <summary>The token first: a file of users without it could not be used.</summary>
    private void AddUser(string name)
    {
        var token = SecretToken.Create();
        WriteOwned(TokenFile, token + "\n");
        UserBook.Add(UsersFile, new UserEntry(
            Core.Users.UsersFile.RefuseName(name) is null ? name : "owner", UserRole.Admin, AccessToken.DigestHex(token)));
    }

    /// <summary>Readers see the old file or the new one, and a command that is killed leaves one of both.</summary>
    private static void WriteOwned(string path, string text)
    {
        if (OperatingSystem.IsWindows()) throw new PlatformNotSupportedException();
        var temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            using (FileStream stream = new(
                temporary, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
            {
                stream.Write(Encoding.UTF8.GetBytes(text));
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }
}
