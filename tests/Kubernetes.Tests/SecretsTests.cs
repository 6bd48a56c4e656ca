using k8s;
using k8s.Models;

namespace Distributed.Kubernetes.Tests;

/// <summary>The folder that turns files of the operator into secrets.</summary>
public sealed class SecretsTests
{
    private static readonly string[] Files = ["ca.crt", "ca.key", "endpoint.crt", "endpoint.key", "silo.crt", "silo.key", "users.json"];

    /// <summary>The secrets by name, made of files that hold nothing real.</summary>
    internal static readonly Lazy<IReadOnlyDictionary<string, V1Secret>> Rendered = new(() =>
        KubernetesYaml.LoadAllFromString(
            Kubectl.Render("secrets", Files.ToDictionary(file => $"secrets/{file}", file => $"content of {file}")), null, strict: true)
            .Cast<V1Secret>().ToDictionary(secret => secret.Metadata.Name));

    [KubectlFact]
    public void Render_MakesTwoSecretsWithoutTheKeyOfTheAuthority()
    {
        Assert.Equal(["dtrain-tls", "dtrain-users"], Rendered.Value.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(
            ["ca.crt", "endpoint.crt", "endpoint.key", "silo.crt", "silo.key"],
            Rendered.Value["dtrain-tls"].Data.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(["users.json"], Rendered.Value["dtrain-users"].Data.Keys);
        Assert.All(Rendered.Value.Values, secret => Assert.Equal("dtrain", secret.Metadata.NamespaceProperty));
        Assert.Equal("content of silo.key", System.Text.Encoding.UTF8.GetString(Rendered.Value["dtrain-tls"].Data["silo.key"]));
    }

    [Fact]
    public void Files_AreNeitherCommittedNorSentToTheBuilder()
    {
        Assert.Contains("/k8s/secrets/*", File.ReadLines(Path.Combine(Checkout.Root, ".gitignore")));
        var context = File.ReadLines(Path.Combine(Checkout.Root, ".dockerignore")).Where(line => !line.StartsWith('#')).ToList();
        Assert.Equal("*", context[0]);
        Assert.DoesNotContain(context, line => line.StartsWith("!k8s", StringComparison.Ordinal));
    }
}
