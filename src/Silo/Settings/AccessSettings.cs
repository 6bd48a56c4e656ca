using Distributed.Core.Jobs;
using Distributed.Core.Users;
using Distributed.Silo.Failures;

namespace Distributed.Silo.Settings;

/// <summary>Who a cluster lets in: a token for the one user <c>admin</c>, a file of users, or both.</summary>
/// <param name="Token">Empty when there is none.</param>
internal sealed record AccessSettings(string Token, string? UsersFile)
{
    public const string TokenVariable = "DTRAIN_TOKEN_FILE";
    public const string UsersVariable = "DTRAIN_USERS_FILE";

    /// <exception cref="JobException">What is missing or wrong.</exception>
    public static AccessSettings FromEnvironment(Func<string, string?> variable)
    {
        var (tokenFile, usersFile) = (variable(TokenVariable), variable(UsersVariable));
        if (string.IsNullOrEmpty(tokenFile) && string.IsNullOrEmpty(usersFile))
            throw Invalid($"neither {TokenVariable} nor {UsersVariable} is set; name the file that holds the token of the user admin, "
                + "or the file of users that 'dtrain users add' makes.");
        return new(
            string.IsNullOrEmpty(tokenFile) ? "" : ReadToken(tokenFile),
            string.IsNullOrEmpty(usersFile) ? null : Path.GetFullPath(usersFile));
    }

    private static string ReadToken(string file)
    {
        if (Directory.Exists(file)) throw Invalid($"{TokenVariable}: {file} is a folder, expected the file that holds the token.");
        if (!File.Exists(file)) throw new JobException(ErrorCodes.PathMissing, $"{TokenVariable}: no file {file}.");
        try
        {
            var token = File.ReadAllText(file).Trim();
            return AccessToken.IsValid(token)
                ? token
                : throw Invalid($"{TokenVariable}: {file} holds {token.Length} characters, expected {AccessToken.Form}.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JobException(ErrorCodes.PathMissing, $"{TokenVariable}: {file} cannot be read: {e.Message}", e);
        }
    }

    private static JobException Invalid(string message) => new(ServeErrors.SettingsInvalid, message);
}
