using System.Text.Json;
using System.Text.Json.Serialization;

namespace Distributed.Core.Jobs;

/// <summary>An id in JSON: a text.</summary>
public sealed class JobIdJson : JsonConverter<JobId>
{
    public override JobId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var text = reader.GetString();
        return JobId.TryParse(text, out var id) ? id : throw new JsonException($"A job's id: {JobId.Misfit(text)}.");
    }

    public override void Write(Utf8JsonWriter writer, JobId value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());
}

/// <summary>A generation in JSON: a number.</summary>
public sealed class GenerationJson : JsonConverter<Generation>
{
    public override Generation Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => new(reader.GetInt32());

    public override void Write(Utf8JsonWriter writer, Generation value, JsonSerializerOptions options) =>
        writer.WriteNumberValue(value.Value);
}

/// <summary>A rank in JSON: a number.</summary>
public sealed class RankJson : JsonConverter<Rank>
{
    public override Rank Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => new(reader.GetInt32());

    public override void Write(Utf8JsonWriter writer, Rank value, JsonSerializerOptions options) =>
        writer.WriteNumberValue(value.Value);
}
