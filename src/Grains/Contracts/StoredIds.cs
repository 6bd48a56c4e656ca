using System.Globalization;
using Distributed.Core.Jobs;
using Newtonsoft.Json;
using Orleans.Hosting;
using Orleans.Serialization;

namespace Distributed.Grains.Contracts;

/// <summary>In stored records an id of a job is a text, a generation and a rank are numbers.</summary>
/// <remarks>So wrote them the versions that knew no types for these.</remarks>
public static class StoredIds
{
    private static readonly IReadOnlyList<JsonConverter> Converters =
    [
        // Earlier versions took any name of a folder for an id: such a text is none, and spoils no list.
        new Converter<JobId>(id => id.ToString(), stored => JobId.TryParse((string)stored, out var id) ? id : default),
        new Converter<Generation>(generation => generation.Value, stored => new(Convert.ToInt32(stored, CultureInfo.InvariantCulture))),
        new Converter<Rank>(rank => rank.Value, stored => new(Convert.ToInt32(stored, CultureInfo.InvariantCulture))),
    ];

    public static ISiloBuilder StoreIdsPlainly(this ISiloBuilder builder) => builder.Configure<OrleansJsonSerializerOptions>(o =>
    {
        foreach (var converter in Converters) o.JsonSerializerSettings.Converters.Add(converter);
    });

    private sealed class Converter<T>(Func<T, object> write, Func<object, T> read) : JsonConverter
        where T : struct
    {
        public override bool CanConvert(Type objectType) => objectType == typeof(T) || objectType == typeof(T?);

        public override void WriteJson(JsonWriter writer, object? value, JsonSerializer serializer) =>
            writer.WriteValue(value is T id ? write(id) : null);

        public override object? ReadJson(JsonReader reader, Type objectType, object? existingValue, JsonSerializer serializer) =>
            reader.Value is { } stored ? read(stored) : objectType == typeof(T) ? default(T) : null;
    }
}
