namespace Distributed.Core.Users;

/// <summary>What a user of a cluster may do; each role may do all that those before it may.</summary>
public enum UserRole
{
    /// <summary>Look at jobs and silos.</summary>
    View,

    /// <summary>Submit jobs and change one's own.</summary>
    Submit,

    /// <summary>Change any job, at any priority.</summary>
    Admin,
}

/// <summary>The words for roles in files, options and messages.</summary>
public static class UserRoles
{
    public static IReadOnlyList<string> Words { get; } = ["view", "submit", "admin"];

    public static string Word(this UserRole role) => Words[(int)role];

    /// <returns>Null when it is no such word.</returns>
    public static UserRole? Parse(string word) => Words.ToList().IndexOf(word) is >= 0 and var role ? (UserRole)role : null;
}
