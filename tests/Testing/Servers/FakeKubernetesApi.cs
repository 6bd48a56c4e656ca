using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Distributed.Testing.Servers;

/// <summary>As much of the Kubernetes API as a silo uses: one ConfigMap with resource versions, and pods to get, list and watch.</summary>
internal sealed class FakeKubernetesApi : IAsyncDisposable
{
    public const string Namespace = "train";
    public const string ConfigMap = "dtrain-membership";
    public const string Cluster = "dtrain";

    private readonly Lock gate = new();
    private readonly Dictionary<string, JsonObject> pods = [];
    private readonly ConcurrentDictionary<Guid, Channel<string>> watches = [];
    private JsonObject? map;
    private int version = 1;
    private int unheard;
    private WebApplication app = null!;

    private FakeKubernetesApi()
    {
        map = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "ConfigMap",
            ["metadata"] = new JsonObject { ["name"] = ConfigMap, ["namespace"] = Namespace },
        };
        Stamp(map);
    }

    public string Address => app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    /// <summary>Answers these with 403: method and the end of the path, such as <c>GET pods</c>.</summary>
    public ConcurrentBag<string> Forbidden { get; } = [];

    /// <summary>Breaks the next calls off, as a network does that is not open yet.</summary>
    public void BreakOff(int calls) => Volatile.Write(ref unheard, calls);

    /// <summary>How many writes of the map were refused because it had changed.</summary>
    public int Conflicts { get; private set; }

    public static async Task<FakeKubernetesApi> StartAsync()
    {
        var fake = new FakeKubernetesApi();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Services.AddRoutingCore();
        fake.app = builder.Build();
        fake.app.UseRouting();
        fake.app.Use((context, next) =>
        {
            if (Interlocked.Decrement(ref fake.unheard) < 0) return next(context);
            context.Abort();
            return Task.CompletedTask;
        });
        fake.app.Use(
            (context, next) => fake.IsForbidden(context.Request) ? Refuse(context, StatusCodes.Status403Forbidden) : next(context));
        fake.app.MapGet("/api/v1/namespaces/{ns}/configmaps/{name}", fake.GetMap);
        fake.app.MapPut("/api/v1/namespaces/{ns}/configmaps/{name}", fake.PutMap);
        fake.app.MapGet("/api/v1/namespaces/{ns}/pods", fake.ListPods);
        fake.app.MapGet("/api/v1/namespaces/{ns}/pods/{name}", fake.GetPod);
        await fake.app.StartAsync();
        return fake;
    }

    /// <summary>A kubeconfig that leads here.</summary>
    public string WriteKubeConfig(string directory)
    {
        var path = Path.Combine(directory, "kubeconfig");
        File.WriteAllText(path, $$"""
            apiVersion: v1
            kind: Config
            clusters: [{ name: fake, cluster: { server: "{{Address}}" } }]
            users: [{ name: fake, user: { token: fake } }]
            contexts: [{ name: fake, context: { cluster: fake, user: fake, namespace: {{Namespace}} } }]
            current-context: fake
            """);
        return path;
    }

    /// <summary>The text of a cluster's table; null: none was written.</summary>
    public string? Table(string cluster)
    {
        lock (gate) return (string?)map?["data"]?[$"{cluster}.json"];
    }

    /// <summary>Writes that a silo is dead, as another would that no longer reaches it.</summary>
    public void Bury(string cluster, string silo)
    {
        lock (gate)
        {
            var table = JsonNode.Parse((string)map!["data"]![$"{cluster}.json"]!)!;
            table["members"]!.AsArray().Single(m => (string?)m!["name"] == silo)!["status"] = "Dead";
            map["data"]![$"{cluster}.json"] = table.ToJsonString();
            Stamp(map);
        }
    }

    public void RemoveMap()
    {
        lock (gate) map = null;
    }

    public void AddPod(string name, string cluster = Cluster)
    {
        var pod = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Pod",
            ["metadata"] = new JsonObject
            {
                ["name"] = name,
                ["namespace"] = Namespace,
                ["labels"] = new JsonObject { ["orleans/serviceId"] = cluster, ["orleans/clusterId"] = cluster },
            },
            ["status"] = new JsonObject { ["phase"] = "Running", ["podIP"] = "127.0.0.1" },
        };
        lock (gate)
        {
            Stamp(pod);
            pods[name] = pod;
        }

        Publish("ADDED", pod);
    }

    public void RemovePod(string name)
    {
        JsonObject? pod;
        lock (gate) pods.Remove(name, out pod);
        if (pod is not null) Publish("DELETED", pod);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var watch in watches.Values) watch.Writer.TryComplete();
        await app.StopAsync();
        await app.DisposeAsync();
    }

    private bool IsForbidden(HttpRequest request) => Forbidden.Any(rule => rule.Split(' ') is [var method, var end]
        && request.Method == method && request.Path.Value!.EndsWith(end, StringComparison.Ordinal));

    private Task GetMap(HttpContext context, string name)
    {
        lock (gate) return name == ConfigMap && map is not null ? Answer(context, map) : Refuse(context, StatusCodes.Status404NotFound);
    }

    private async Task PutMap(HttpContext context, string name)
    {
        var put = (await JsonNode.ParseAsync(context.Request.Body))!.AsObject();
        Task answer;
        lock (gate)
        {
            if (name != ConfigMap || map is null) answer = Refuse(context, StatusCodes.Status404NotFound);
            else if ((string?)put["metadata"]!["resourceVersion"] != (string?)map["metadata"]!["resourceVersion"])
            {
                Conflicts++;
                answer = Refuse(context, StatusCodes.Status409Conflict);
            }
            else
            {
                map = put;
                Stamp(map);
                answer = Answer(context, map);
            }
        }

        await answer;
    }

    private Task GetPod(HttpContext context, string name)
    {
        lock (gate) return pods.TryGetValue(name, out var pod) ? Answer(context, pod) : Refuse(context, StatusCodes.Status404NotFound);
    }

    private async Task ListPods(HttpContext context)
    {
        if (context.Request.Query["watch"] == "true")
        {
            await Watch(context);
            return;
        }

        JsonArray items;
        lock (gate)
            items = [.. pods.Values.Where(pod => Matches(pod, context.Request.Query["labelSelector"])).Select(pod => pod.DeepClone())];
        await Answer(context, new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "PodList",
            ["metadata"] = new JsonObject { ["resourceVersion"] = version.ToString(CultureInfo.InvariantCulture) },
            ["items"] = items,
        });
    }

    private async Task Watch(HttpContext context)
    {
        var (id, events) = (Guid.NewGuid(), Channel.CreateUnbounded<string>());
        watches[id] = events;
        try
        {
            context.Response.ContentType = "application/json";
            await context.Response.StartAsync(context.RequestAborted);
            await foreach (var line in events.Reader.ReadAllAsync(context.RequestAborted))
            {
                await context.Response.WriteAsync(line, context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
            }
        }
        catch (OperationCanceledException)
        {
            // The one who watched has gone.
        }
        finally
        {
            watches.TryRemove(id, out _);
        }
    }

    private void Publish(string kind, JsonObject pod)
    {
        string line;
        lock (gate) line = new JsonObject { ["type"] = kind, ["object"] = pod.DeepClone() }.ToJsonString() + "\n";
        foreach (var watch in watches.Values) watch.Writer.TryWrite(line);
    }

    private void Stamp(JsonObject thing) => thing["metadata"]!["resourceVersion"] = (++version).ToString(CultureInfo.InvariantCulture);

    private static bool Matches(JsonObject pod, string? selector) => string.IsNullOrEmpty(selector) || selector.Split(',').All(
        term => term.Split('=') is [var key, var value] && (string?)pod["metadata"]!["labels"]?[key] == value);

    private static Task Answer(HttpContext context, JsonObject body)
    {
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(body.ToJsonString());
    }

    private static Task Refuse(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        return Answer(context, new JsonObject { ["kind"] = "Status", ["apiVersion"] = "v1", ["status"] = "Failure", ["code"] = status });
    }
}
