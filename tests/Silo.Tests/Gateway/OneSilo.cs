using Distributed.Core.Users;
using Distributed.Silo.Hosting;
using Distributed.Silo.Settings;
using Distributed.Training.Native;
using Grpc.Core;

namespace Distributed.Silo.Tests.Gateway;

/// <summary>A silo of a cluster in this process, with a user of each role and two that submit.</summary>
public sealed class OneSilo : IAsyncLifetime
{
    public const string Admin = "the token of the operator";
    public const string Ann = "the token of ann, who submits";
    public const string Bob = "the token of bob, who submits";
    public const string Dan = "the token of dan, who may have two in the queue";
    public const string Eve = "the token of eve, who looks on";

    private readonly string root = Directory.CreateTempSubdirectory("dtrain-gateway-").FullName;
    private SiloApp? app;

    internal string Address => app!.Address;

    internal T Service<T>()
        where T : notnull => app!.Service<T>();

    internal GatewayClient Client(string? token) => new(Address, token);

    internal static async Task<Status> StatusOf(Func<Task> call)
    {
        try
        {
            await call();
            return Status.DefaultSuccess;
        }
        catch (RpcException refused)
        {
            return refused.Status;
        }
    }

    public async Task InitializeAsync()
    {
        NativeRuntime.Initialize();
        var users = Path.Combine(root, "users.json");
        await File.WriteAllTextAsync(users, UsersFile.Write(
        [
            new UserEntry("ann", UserRole.Submit, AccessToken.DigestHex(Ann)) { MaxPriority = 5 },
            new UserEntry("bob", UserRole.Submit, AccessToken.DigestHex(Bob)),
            new UserEntry("dan", UserRole.Submit, AccessToken.DigestHex(Dan)) { Queued = 2 },
            new UserEntry("eve", UserRole.View, AccessToken.DigestHex(Eve)),
        ]));
        app = await SiloApp.Start(
            new ServeSettings
            {
                Token = Admin,
                UsersFile = users,
                JobsRoot = Directory.CreateDirectory(Path.Combine(root, "jobs")).FullName,
                DataRoot = Directory.CreateDirectory(Path.Combine(root, "data")).FullName,
                ClusterId = "gateway-tests",
            });
    }

    public async Task DisposeAsync()
    {
        await app!.DisposeAsync();
        Directory.Delete(root, recursive: true);
    }
}
