using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Distributed.Core.Documents;
using Distributed.Core.Values;

namespace Distributed.Core.Options;

/// <summary>The keys that a type of options adds to a section of the job file.</summary>
public sealed class OptionSet
{
    private static readonly ConcurrentDictionary<Type, OptionSet> Known = new();

    private OptionSet(Type type)
    {
        Type = type;
        Defaults = Activator.CreateInstance(type)!;
        Options =
        [
            .. type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
                .Where(p => p.GetCustomAttribute<OptionAttribute>() is not null)
                .Select(p => new Option(p, p.GetCustomAttribute<OptionAttribute>()!, p.GetValue(Defaults))),
        ];
    }

    public Type Type { get; }

    /// <value>Options as they are where nothing is given; required ones are empty.</value>
    public object Defaults { get; }

    /// <summary>In the order in which they are declared.</summary>
    public IReadOnlyList<Option> Options { get; }

    /// <exception cref="ArgumentException">A property has a type that no key can have.</exception>
    public static OptionSet Of(Type type) => Known.GetOrAdd(type, t => new OptionSet(t));

    /// <summary>Writes the options as members of the object that is open.</summary>
    public void Write(Utf8JsonWriter json, object options)
    {
        foreach (var option in Options) option.Write(json, options);
    }

    /// <summary>Reads options from a section; what is absent has its default.</summary>
    /// <param name="owner">Named where a required key is missing.</param>
    internal object Read(SpecSection section, string owner)
    {
        var options = Activator.CreateInstance(Type)!;
        foreach (var option in Options)
        {
            if (option.IsRequired && !section.Has(option.Key))
                section.Fail(
                    option.Key,
                    $"missing, expected {option.About}: {owner} needs {Words([.. Options.Where(o => o.IsRequired).Select(o => o.Key)])}");
            option.Read(section, options);
        }
        return options;
    }

    internal static string Words(IReadOnlyList<string> words) =>
        words.Count < 2 ? string.Concat(words) : $"{string.Join(", ", words.SkipLast(1))} and {words[^1]}";
}

/// <summary>One key of a section.</summary>
public sealed class Option
{
    private readonly PropertyInfo property;
    private readonly OptionAttribute attribute;
    private readonly Type type;

    internal Option(PropertyInfo property, OptionAttribute attribute, object? initial)
    {
        (this.property, this.attribute, Default) = (property, attribute, initial);
        type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        Key = JsonNamingPolicy.CamelCase.ConvertName(property.Name);
        IsRequired = property.IsDefined(typeof(RequiredMemberAttribute));
        Range = RangeText();
    }

    /// <summary>As it is written in the job file.</summary>
    public string Key { get; }

    public string About => attribute.About;

    public bool IsRequired { get; }

    /// <summary>Type and range in words.</summary>
    public string Range { get; }

    /// <value>The value of a key that is absent; null: none.</value>
    public object? Default { get; }

    private long Least =>
        type == typeof(int) || type == typeof(EquatableList<int>) ? Math.Max(attribute.Least, int.MinValue) : attribute.Least;

    private long Most =>
        type == typeof(int) || type == typeof(EquatableList<int>) ? Math.Min(attribute.Most, int.MaxValue) : attribute.Most;

    private NumberRange Numbers => attribute.Number switch
    {
        NumberKind.Positive => NumberRange.Positive,
        NumberKind.NotNegative => NumberRange.NotNegative,
        NumberKind.BelowOne => NumberRange.BelowOne,
        _ => NumberRange.Finite,
    };

    internal void Read(SpecSection section, object options)
    {
        object? value = type switch
        {
            _ when type == typeof(int) => section.Whole(Key, Least, Most) is { } whole ? (int)whole : null,
            _ when type == typeof(long) => section.Whole(Key, Least, Most),
            _ when type == typeof(double) => section.Number(Key, Numbers),
            _ when type == typeof(bool) => section.Flag(Key),
            _ when type == typeof(string) => attribute.Words is { } words ? section.Word(Key, words) : section.Text(Key),
            _ when type == typeof(EquatableList<int>) => section.Wholes(Key, (int)Least, (int)Most),
            _ when type == typeof(EquatableList<double>) => section.Numbers(Key, Numbers),
            _ => section.Patterns(Key),
        };
        if (CountOf(value) is { } count && count < attribute.LeastItems)
            section.Fail(
                Key, FormattableString.Invariant($"found a list of {count}, expected {attribute.LeastItems} items or more: {About}"));
        else if (value is not null) property.SetValue(options, value);
    }

    private static int? CountOf(object? value) => value switch
    {
        EquatableList<int> list => list.Count,
        EquatableList<double> list => list.Count,
        EquatableList<string> list => list.Count,
        _ => null,
    };

    internal void Write(Utf8JsonWriter json, object options)
    {
        if (property.GetValue(options) is not { } value) return;
        json.WritePropertyName(Key);
        switch (value)
        {
            case int whole: json.WriteNumberValue(whole); break;
            case long whole: json.WriteNumberValue(whole); break;
            case double number: json.WriteNumberValue(number); break;
            case bool flag: json.WriteBooleanValue(flag); break;
            case string text: json.WriteStringValue(text); break;
            case EquatableList<int> list: Write(json, list, (w, x) => w.WriteNumberValue(x)); break;
            case EquatableList<double> list: Write(json, list, (w, x) => w.WriteNumberValue(x)); break;
            default: Write(json, (EquatableList<string>)value, (w, x) => w.WriteStringValue(x)); break;
        }
    }

    private static void Write<T>(Utf8JsonWriter json, EquatableList<T> list, Action<Utf8JsonWriter, T> item)
    {
        json.WriteStartArray();
        foreach (var element in list) item(json, element);
        json.WriteEndArray();
    }

    private string RangeText() => type switch
    {
        _ when type == typeof(int) || type == typeof(long) => Whole(),
        _ when type == typeof(double) => Numbers.Expected,
        _ when type == typeof(bool) => "`true` or `false`",
        _ when type == typeof(string) => attribute.Words is { } words ? string.Join(", ", words.Select(w => $"`{w}`")) : "a text",
        _ when type == typeof(EquatableList<int>) => $"a list{Items()}, each {Whole()}",
        _ when type == typeof(EquatableList<double>) => $"a list{Items()}, each {Numbers.Expected}",
        _ when type == typeof(EquatableList<string>) => "a list of texts",
        _ => throw new ArgumentException($"{property.DeclaringType?.Name}.{property.Name} has type {type.Name}, "
            + "which no key of a job file can have. Use int, long, double, bool, string or a list of them."),
    };

    private string Items() => attribute.LeastItems > 0 ? FormattableString.Invariant($" of {attribute.LeastItems} or more") : "";

    private string Whole() => FormattableString.Invariant($"a whole number from {Least:N0} to {Most:N0}");
}
