using System.Text;
using Distributed.Client.Outcomes;
using Distributed.Core.Users;
using Distributed.Core.Values;

namespace Distributed.Client.Users;

/// <summary>The file of a cluster's users, as its operator changes it.</summary>
internal static class UserBook
{
    /// <exception cref="CommandFailure">All that is wrong with the file, one line each.</exception>
    public static IReadOnlyList<UserEntry> Read(string path)
    {
        var read = UsersFile.Load(path);
        return read.Errors.Count == 0
            ? read.Users
            : throw Refusal("the file of users is wrong:\n" + string.Join('\n', read.Errors.Select(error => error.Format(path))));
    }

    /// <summary>Adds a user; readers see the old file or the new one, which only its owner may read.</summary>
    /// <exception cref="CommandFailure">The name is none or taken, or the file is wrong or cannot be written.</exception>
    public static void Add(string path, UserEntry user)
    {
        if (UsersFile.RefuseName(user.Name) is { } refusal) throw Refusal($"NAME: found '{PlainText.Show(user.Name)}', {refusal}.");
        IReadOnlyList<UserEntry> users = Path.Exists(path) ? Read(path) : [];
        if (users.Any(known => known.Name.Equals(user.Name, StringComparison.OrdinalIgnoreCase)))
            throw Refusal($"The user '{user.Name}' is already in '{path}'. Choose another name, or remove that entry first.");
        var text = UsersFile.Write([.. users, user]);
        if (Encoding.UTF8.GetByteCount(text) > UsersFile.MostBytes)
            throw Refusal($"'{path}' would be larger than {UsersFile.MostBytes} bytes, which silos do not read.");
        try
        {
            Replace(
                File.Exists(path) && File.ResolveLinkTarget(path, returnFinalTarget: true) is { } target
                    ? target.FullName
                    : Path.GetFullPath(path), text);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Failed, $"The file of users '{path}' cannot be written: {refused.Message}");
        }
    }

    private static void Replace(string path, string text)
    {
        var temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            using (FileStream stream = new(temporary, options))
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

    private static CommandFailure Refusal(string message) => new(ExitCode.Usage, message);
}
