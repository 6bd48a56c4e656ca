using Distributed.Core.Users;
using Distributed.Silo.Gateway;

namespace Distributed.Silo.Tests;

public sealed class CallRightsTests
{
    private static readonly string[] Looks = ["Get", "List", "Watch", "Logs", "Why", "Cluster"];

    [Fact]
    public void Of_EveryCallOfTheWire_IsForAUserAndOnlyDrainForAdminsAlone()
    {
        var calls = Protocol.V1.Jobs.Descriptor.Methods.Select(method => method.Name).ToList();
        Assert.Equal(12, calls.Count);
        Assert.All(calls, call => Assert.Equal(
            Looks.Contains(call) ? UserRole.View : call == "Drain" ? UserRole.Admin : UserRole.Submit,
            CallRights.Of($"/dtrain.v1.Jobs/{call}")));
    }

    [Theory]
    [InlineData("/grpc.health.v1.Health/Check", null)]
    [InlineData("/grpc.health.v1.Health/Watch", null)]
    [InlineData("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", UserRole.View)]
    [InlineData("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", UserRole.View)]
    [InlineData("/dtrain.v1.Jobs/Rename", UserRole.Admin)]
    [InlineData("/dtrain.v2.Jobs/Get", UserRole.Admin)]
    public void Of_OtherCalls_OnlyHealthIsOpen(string method, UserRole? needed) => Assert.Equal(needed, CallRights.Of(method));
}
