using System.Reflection;
using System.Text.RegularExpressions;
using Distributed.Core.Events;
using Distributed.Grains.Contracts;
using Newtonsoft.Json.Serialization;

namespace Distributed.Silo.Cluster;

/// <summary>Finds the types that stored records name, also when a later version has moved or renamed them.</summary>
/// <remarks>
/// Records bear the full names of their types. Within an assembly of ours a type's own name is unique, so that name alone decides.
/// </remarks>
internal sealed partial class StoredTypeNames(ISerializationBinder names) : ISerializationBinder
{
    private static readonly IReadOnlyDictionary<(string Assembly, string Name), string> Ours =
        new[] { typeof(StorageNames).Assembly, typeof(JobError).Assembly }.SelectMany(Of).ToDictionary();

    /// <summary>Types that have another name today.</summary>
    private static readonly IReadOnlyDictionary<string, string> Renamed =
        new Dictionary<string, string>(StringComparer.Ordinal) { ["Comeback"] = "Requeue" };

    public Type BindToType(string? assemblyName, string typeName) => names.BindToType(assemblyName, Today(typeName));

    public void BindToName(Type serializedType, out string? assemblyName, out string? typeName) =>
        names.BindToName(serializedType, out assemblyName, out typeName);

    /// <summary>A type's name, or a generic one's with those of its arguments, with today's namespaces.</summary>
    private static string Today(string typeName) => Name().Replace(typeName, found => Ours.GetValueOrDefault(
        (found.Groups["assembly"].Value, Renamed.GetValueOrDefault(found.Groups["name"].Value, found.Groups["name"].Value)), found.Value));

    private static IEnumerable<KeyValuePair<(string Assembly, string Name), string>> Of(Assembly assembly) => assembly.GetTypes()
        .Where(type => !type.IsNested && type.FullName is not null)
        .GroupBy(type => type.Name, StringComparer.Ordinal).Where(types => types.Count() == 1)
        .Select(types => KeyValuePair.Create((assembly.GetName().Name!, types.Key), types.First().FullName!));

    [GeneratedRegex(@"(?<assembly>Distributed\.(Core|Grains))\.(\w+\.)*(?<name>\w+(`\d+)?)(?![\w.`])")]
    private static partial Regex Name();
}
