using k8s.Models;

namespace Distributed.Kubernetes.Tests;

/// <summary>Starts, upgrades, drains and ends.</summary>
public sealed class AvailabilityTests
{
    [KubectlTheory]
    [MemberData(nameof(Overlay.Data), MemberType = typeof(Overlay))]
    public void Probes_AskTheDoorOverTls(string name)
    {
        var silo = Overlay.Of(name).Silo;
        List<(V1Probe Probe, string Path)> probes =
            [(silo.StartupProbe, "/healthz/startup"), (silo.ReadinessProbe, "/healthz/ready"), (silo.LivenessProbe, "/healthz/live")];
        foreach (var (probe, path) in probes)
        {
            Assert.Equal((path, "HTTPS", "grpc"), (probe.HttpGet.Path, probe.HttpGet.Scheme, probe.HttpGet.Port.Value));
            Assert.True(probe.TimeoutSeconds > 1, $"{path}: a silo under full load needs more than the default second");
        }
        Assert.True(
            silo.StartupProbe.PeriodSeconds * silo.StartupProbe.FailureThreshold >= 60,
            "a node that loads the image's files for the first time takes long to start");
        Assert.True(
            silo.LivenessProbe.PeriodSeconds * silo.LivenessProbe.FailureThreshold >= 30, "a silo that is merely busy must not be killed");
    }

    [KubectlTheory]
    [MemberData(nameof(Overlay.Data), MemberType = typeof(Overlay))]
    public void Upgrade_TakesOneSiloAtATime(string name)
    {
        var spec = Overlay.Of(name).Silos.Spec;
        Assert.Equal(("RollingUpdate", "Parallel"), (spec.UpdateStrategy.Type, spec.PodManagementPolicy));
        Assert.Null(spec.UpdateStrategy.RollingUpdate?.MaxUnavailable);
        Assert.True(spec.MinReadySeconds > 0);
        Assert.True(spec.Replicas >= 2, "one silo alone has nobody to hand its jobs to");
    }

    [KubectlTheory]
    [MemberData(nameof(Overlay.Data), MemberType = typeof(Overlay))]
    public void Drain_TakesOneSiloAtATimeAndWaitsForNone(string name)
    {
        var budget = Overlay.Of(name).One<V1PodDisruptionBudget>().Spec;
        Assert.Equal("1", budget.MaxUnavailable.Value);
        Assert.Null(budget.MinAvailable);
        Assert.Equal("AlwaysAllow", budget.UnhealthyPodEvictionPolicy);
    }

    [KubectlTheory]
    [MemberData(nameof(Overlay.Data), MemberType = typeof(Overlay))]
    public void End_LeavesTimeForTheLastCheckpoint(string name)
    {
        var overlay = Overlay.Of(name);
        Assert.Equal(120, overlay.Pod.TerminationGracePeriodSeconds);
        // The silo itself hears SIGTERM: a shell or a hook before it would take from its time.
        Assert.Null(overlay.Silo.Command);
        Assert.Null(overlay.Silo.Args);
        Assert.Null(overlay.Silo.Lifecycle);
    }

    [KubectlTheory]
    [MemberData(nameof(Overlay.Data), MemberType = typeof(Overlay))]
    public void Silos_PreferDifferentNodes(string name)
    {
        var spread = Assert.Single(Overlay.Of(name).Pod.TopologySpreadConstraints);
        Assert.Equal(("kubernetes.io/hostname", 1, "ScheduleAnyway"), (spread.TopologyKey, spread.MaxSkew, spread.WhenUnsatisfiable));
    }

    [KubectlTheory]
    [MemberData(nameof(Overlay.Data), MemberType = typeof(Overlay))]
    public void Image_HasATagOfItsOwn(string name)
    {
        var silo = Overlay.Of(name).Silo;
        var tag = silo.Image[(silo.Image.LastIndexOf(':') + 1)..];
        Assert.Equal("IfNotPresent", silo.ImagePullPolicy);
        Assert.Equal(name switch { "local" => "local", "gpu" => $"{Dockerfile.ProductVersion}-cuda", _ => Dockerfile.ProductVersion }, tag);
    }

    [Fact]
    public void Image_OfTheBase_IsTheProductsVersion() =>
        Assert.Contains(
            $"image: dtrain:{Dockerfile.ProductVersion}\n", Checkout.Read("k8s", "base", "silos.yaml"), StringComparison.Ordinal);

    [KubectlTheory]
    [MemberData(nameof(Overlay.Data), MemberType = typeof(Overlay))]
    public void Resources_AreAskedForAndMemoryIsBounded(string name)
    {
        var resources = Overlay.Of(name).Silo.Resources;
        Assert.True(resources.Requests.ContainsKey("cpu") && resources.Requests.ContainsKey("memory"));
        Assert.True(resources.Limits["memory"].ToDecimal() >= resources.Requests["memory"].ToDecimal());
        // A rank that is throttled holds up every rank of its job.
        Assert.False(resources.Limits.ContainsKey("cpu"));
        Assert.Equal(name == "gpu" ? "1" : null, resources.Limits.TryGetValue("nvidia.com/gpu", out var gpus) ? gpus.ToString() : null);
    }
}
