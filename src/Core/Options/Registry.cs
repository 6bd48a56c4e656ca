using Distributed.Core.Documents;

namespace Distributed.Core.Options;

/// <summary>One choice of a section's <c>name</c>, such as a model: its word, what it is, and the options it takes.</summary>
/// <param name="Summary">One sentence for the reference of the job file.</param>
public sealed record Descriptor(string Name, string Summary, OptionSet Set)
{
    /// <typeparam name="T">The record of its options.</typeparam>
    public static Descriptor Of<T>(string name, string summary)
        where T : class => new(name, summary, OptionSet.Of(typeof(T)));
}

/// <summary>The choices that a section of the job file has.</summary>
/// <typeparam name="TOptions">What their options have in common.</typeparam>
public sealed class Registry<TOptions>
    where TOptions : class
{
    private readonly string kind;

    /// <param name="kind">What the section is about, for messages, such as "model".</param>
    public Registry(string kind, IEnumerable<Descriptor> descriptors)
    {
        this.kind = kind;
        Descriptors = [.. descriptors];
        if (Descriptors.GroupBy(d => d.Name).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new ArgumentException($"There are two kinds of {kind} with the name '{twice.Key}'.", nameof(descriptors));
        if (Descriptors.GroupBy(d => d.Set.Type).FirstOrDefault(g => g.Count() > 1) is { } shared)
            throw new ArgumentException(
                $"{shared.Key.Name} are the options of two kinds of {kind}: {string.Join(", ", shared.Select(d => d.Name))}.",
                nameof(descriptors));
        if (Descriptors.FirstOrDefault(d => !d.Set.Type.IsAssignableTo(typeof(TOptions))) is { } other)
            throw new ArgumentException(
                $"The options of {kind} '{other.Name}' are {other.Set.Type.Name}, which is no {typeof(TOptions).Name}.",
                nameof(descriptors));
    }

    public IReadOnlyList<Descriptor> Descriptors { get; }

    public IReadOnlyList<string> Names => [.. Descriptors.Select(d => d.Name)];

    public Descriptor? Find(string name) => Descriptors.FirstOrDefault(d => d.Name == name);

    /// <summary>The name of the choice that takes options of a type.</summary>
    /// <exception cref="ArgumentException">None does, or several do.</exception>
    public string NameOf(TOptions options) =>
        Descriptors.Where(d => d.Set.Type == options.GetType()).Select(d => d.Name).ToList() is [var name]
            ? name : throw new ArgumentException($"{options.GetType().Name} does not belong to exactly one {kind}.", nameof(options));

    /// <summary>These choices and one more.</summary>
    public Registry<TOptions> With(Descriptor descriptor) => new(kind, [.. Descriptors, descriptor]);

    /// <summary>Reads the options of a choice, and refuses those of others.</summary>
    /// <param name="name">Null: the name was wrong; nothing is read then.</param>
    internal TOptions? Read(SpecSection section, string? name)
    {
        var chosen = name is null ? null : Find(name);
        var own = chosen?.Set.Options.Select(o => o.Key).ToHashSet(StringComparer.Ordinal) ?? [];
        foreach (var others in Descriptors.SelectMany(d => d.Set.Options.Select(o => (o.Key, d.Name))).Where(k => !own.Contains(k.Key))
            .GroupBy(k => k.Key, k => k.Name))
        {
            IReadOnlyList<string> owners = [.. others];
            if (chosen is null) section.Know(others.Key);
            else section.Refuse(
                $"belongs to {kind}{(owners.Count > 1 && kind != "data" ? "s" : "")} {OptionSet.Words(owners)}, not to {name}; remove it",
                others.Key);
        }
        return (TOptions?)chosen?.Set.Read(section, chosen.Name);
    }
}
