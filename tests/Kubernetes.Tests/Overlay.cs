using System.Collections.Concurrent;
using k8s;
using k8s.Models;

namespace Distributed.Kubernetes.Tests;

/// <summary>What one overlay applies, as the API server's own types; an unknown field or a wrong type is an error.</summary>
internal sealed class Overlay
{
    private static readonly ConcurrentDictionary<string, Lazy<Overlay>> Loaded = new();

    private Overlay(string text)
    {
        Objects = [.. KubernetesYaml.LoadAllFromString(text, null, strict: true).Cast<IKubernetesObject<V1ObjectMeta>>()];
        Silos = One<V1StatefulSet>();
        Pod = Silos.Spec.Template.Spec;
        Silo = Assert.Single(Pod.Containers);
        Settings = One<V1ConfigMap>(Assert.Single(Silo.EnvFrom).ConfigMapRef.Name).Data.AsReadOnly();
    }

    /// <summary>Every overlay in the checkout.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [.. Directory.GetDirectories(Path.Combine(Checkout.Manifests, "overlays")).Select(folder => Path.GetFileName(folder))
            .Order(StringComparer.Ordinal)];

    public static TheoryData<string> Data { get; } = [.. Names];

    public IReadOnlyList<IKubernetesObject<V1ObjectMeta>> Objects { get; }

    public V1StatefulSet Silos { get; }

    public V1PodSpec Pod { get; }

    /// <summary>The pod's only container.</summary>
    public V1Container Silo { get; }

    /// <summary>What the silo's environment takes from the ConfigMap.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; }

    public IDictionary<string, string> PodLabels => Silos.Spec.Template.Metadata.Labels;

    public static Overlay Of(string name) => Loaded.GetOrAdd(name, n => new(() => new Overlay(Kubectl.Render($"overlays/{n}")))).Value;

    public IEnumerable<T> All<T>() => Objects.OfType<T>();

    public T One<T>() => Assert.Single(All<T>());

    public T One<T>(string name)
        where T : IKubernetesObject<V1ObjectMeta> => Assert.Single(All<T>(), found => found.Metadata.Name == name);

    /// <summary>Where the container finds a volume, without a slash at the end.</summary>
    public string Mount(string volume) => Assert.Single(Silo.VolumeMounts, mount => mount.Name == volume).MountPath;

    public int Port(string name) => Assert.Single(Silo.Ports, port => port.Name == name).ContainerPort;

    /// <summary>Whether a selector takes the silos' pods; an empty one takes all.</summary>
    public bool TakesSilos(IDictionary<string, string>? labels) => (labels ?? new Dictionary<string, string>()).All(PodLabels.Contains);
}
