using System.Reflection;
using Distributed.Grains.Contracts;
using Orleans.Serialization.Invocation;

namespace Distributed.Grains.Tests.Contracts;

/// <summary>While a cluster is upgraded silo by silo, silos of two versions call each other, by the numbers of methods.</summary>
/// <remarks>
/// Orleans makes the number of a method of its name and the types of its parameters. A method whose parameters get other types of the same
/// bytes keeps its number by an alias.
/// </remarks>
public sealed class GrainMethodTests
{
    /// <summary>May grow.</summary>
    private static readonly string[] Pinned =
    [
        "ICoordinatorExchange.Exchange 368BF74A",
        "ICoordinatorExchange.Join 6D58D6A7",
        "ICoordinatorExchange.Late D0379B6C",
        "ICoordinatorExchange.Leave 4B08A010",
        "ICoordinatorGrain.Close 23335B60",
        "ICoordinatorGrain.IsOpen 9B2286B4",
        "ICoordinatorGrain.Meet 21145921",
        "ICoordinatorGrain.Open 3170D7F6",
        "ICoordinatorGrain.RequestStop 26426822",
        "ICoordinatorGrain.Vote E5FE24A3",
        "IDeviceService.Clock B8782790",
        "IDeviceService.Describe A5A17571",
        "IDeviceService.Drain 547F1630",
        "IDeviceService.Lacks 491FA3CE",
        "IDeviceService.Release C62E51B5",
        "IDeviceService.TryLease 296E1C30",
        "IJobGrain.Append 06AC6326",
        "IJobGrain.Begin 0AE48143",
        "IJobGrain.Confirm D499C973",
        "IJobGrain.Delete E888A717",
        "IJobGrain.Move CD73817E",
        "IJobGrain.RankEnded E958530F",
        "IJobGrain.ReadEvents 648CD209",
        "IJobGrain.ReadLog 9C6C1CFC",
        "IJobGrain.Resume 3012C427",
        "IJobGrain.Scale FF9FFAB2",
        "IJobGrain.Starved 0BC40589",
        "IJobGrain.Status C2888DFE",
        "IJobGrain.Stop C6B5C7C5",
        "IJobGrain.Submit 594301E9",
        "IJobGrain.Wake EB639D96",
        "IJobGrain.Why 0C841076",
        "IJobQueueGrain.Admit 083C7D3B",
        "IJobQueueGrain.Describe D6276E4F",
        "IJobQueueGrain.Enqueue 76C4DC1E",
        "IJobQueueGrain.Explain 64690E1B",
        "IJobQueueGrain.Forget 18E8A188",
        "IJobQueueGrain.Leave 20E87628",
        "IJobQueueGrain.List 6BA7DFDB",
        "IJobQueueGrain.Look 4C453605",
        "IJobQueueGrain.Weigh 551A37B2",
        "IWorkerGrain.Abort 166F26EA",
        "IWorkerGrain.End FF0C5296",
        "IWorkerGrain.Start 9845CDE8",
        "IWorkerGrain.Status CC9D442C",
    ];

    [Fact]
    public void Methods_KeepTheirNumbers()
    {
        var all = typeof(StorageNames).Assembly.GetTypes()
            .SelectMany(type => type.GetCustomAttributes<CompoundTypeAliasAttribute>(inherit: false)
                .Select(alias => (Type: type, alias.Components)))
            .Where(call => call.Components is ["inv", _, Type grain, string] && grain.Namespace == typeof(StorageNames).Namespace)
            .Select(call => $"{((Type)call.Components[2]).Name}.{MethodOf(call.Type)} {call.Components[3]}");
        Assert.Equal(Pinned, all.Order(StringComparer.Ordinal));

        static string MethodOf(Type call) => ((IInvokable)Activator.CreateInstance(call)!).GetMethodName();
    }
}
