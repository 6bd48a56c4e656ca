using System.Text.Encodings.Web;
using System.Text.Json;

namespace Distributed.Client.Rendering;

/// <summary>JSON for people and scripts: nothing escaped that need not be.</summary>
internal static class PlainJson
{
    private static readonly JsonSerializerOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Write(object value) => JsonSerializer.Serialize(value, Options);
}
