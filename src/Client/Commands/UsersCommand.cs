using System.CommandLine;

namespace Distributed.Client.Commands;

internal static class UsersCommand
{
    public static Command Create() => new Verb(
        "users",
        "Edits the file of a cluster's users, which its silos read (DTRAIN_USERS_FILE) and read again when it changes. Needs no cluster.",
        "dtrain users add users.json ann --role submit --ranks 4 > ann.token",
        "dtrain users list users.json")
    {
        UsersAddCommand.Create(),
        UsersListCommand.Create(),
    };
}
