using System.Text.Json;
using System.Text.Json.Serialization;
using Distributed.Core.Machine;
using Distributed.Grains.Contracts;

namespace Distributed.Silo.Folders;

/// <summary>The file <c>job.json</c> in a job's folder: whose the folder is, and what was submitted.</summary>
internal sealed record KeptSubmission(string Cluster, string User, RunOptions Options, JsonElement Spec)
{
    public const string FileName = "job.json";

    public static KeptSubmission Of(string cluster, JobSubmission submission)
    {
        using var spec = JsonDocument.Parse(submission.SpecJson);
        return new(cluster, submission.User, submission.Options, spec.RootElement.Clone());
    }

    /// <summary>As it was handed in, to the letter.</summary>
    public JobSubmission Submission => new(Spec.GetRawText(), Options, User);

    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, KeptJson.Default.KeptSubmission);

    /// <exception cref="IOException">It cannot be read, or is no such file.</exception>
    public static KeptSubmission Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize(RegularFile.ReadAllBytes(path), KeptJson.Default.KeptSubmission)
                is { Cluster: not null, User: not null, Options: not null } kept
                ? kept
                : throw new IOException($"{path} is not as a silo wrote it: restore it from a copy, or move the job's folder away.");
        }
        catch (Exception e) when (e is JsonException or UnauthorizedAccessException)
        {
            throw new IOException(
                $"{path} is not as a silo wrote it, or cannot be read ({e.Message}): restore it from a copy, "
                + "or move the job's folder away.", e);
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(KeptSubmission))]
internal sealed partial class KeptJson : JsonSerializerContext;
