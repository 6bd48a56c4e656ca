using Mono.Cecil;
using Mono.Cecil.Cil;

namespace Distributed.Architecture.Tests.Rooms;

/// <summary>
/// Which rooms of an assembly use which: rooms are the first level of namespaces below the assembly's own, and the compiled
/// code says what it uses.
/// </summary>
/// <remarks>
/// Base types, members, generic arguments and constraints, attributes and method bodies count. Constants do not: the compiler
/// copies their values.
/// </remarks>
internal sealed class RoomGraph
{
    private const string Root = "(root)";
    private readonly string prefix;
    private readonly SortedDictionary<(string From, string To), string> arrows = [];
    private readonly SortedSet<string> rooms = new(StringComparer.Ordinal);

    private RoomGraph(AssemblyDefinition assembly, string rootNamespace)
    {
        prefix = rootNamespace;
        foreach (var type in assembly.MainModule.Types)
        {
            if (RoomOf(type) is not { } room) continue;
            rooms.Add(room);
            Walk(type, room);
        }
    }

    /// <value>Each arrow with one place that draws it.</value>
    public IReadOnlyDictionary<(string From, string To), string> Arrows => arrows;

    public IReadOnlySet<string> Names => rooms;

    public static RoomGraph Read(string assembly, string rootNamespace)
    {
        // To read an attribute's arguments the assemblies of their enums must be found.
        using DefaultAssemblyResolver resolver = new();
        foreach (var folder in Libraries().Prepend(Path.GetDirectoryName(assembly)!)) resolver.AddSearchDirectory(folder);
        using var definition = AssemblyDefinition.ReadAssembly(assembly, new ReaderParameters { AssemblyResolver = resolver });
        return new RoomGraph(definition, rootNamespace);
    }

    /// <summary>Folders of the silo, which has all packages, and of the frameworks.</summary>
    private static IEnumerable<string> Libraries()
    {
        yield return Path.GetDirectoryName(Checkout.Assembly("Silo", RoomTests.Assemblies["Silo"]))!;
        var framework = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        yield return framework;
        var web = Path.Combine(framework, "..", "..", "Microsoft.AspNetCore.App");
        if (Directory.Exists(web)) foreach (var version in Directory.GetDirectories(web)) yield return version;
    }

    private string? RoomOf(TypeReference type)
    {
        while (type.DeclaringType is { } outer) type = outer;
        if (type.Namespace == prefix) return Root;
        return type.Namespace.StartsWith($"{prefix}.", StringComparison.Ordinal)
            ? type.Namespace[(prefix.Length + 1)..].Split('.')[0]
            : null;
    }

    private void Walk(TypeDefinition type, string room)
    {
        Use(type.BaseType);
        foreach (var contract in type.Interfaces) Use(contract.InterfaceType);
        Constraints(type.GenericParameters);
        Attributes(type);
        foreach (var field in type.Fields)
        {
            Use(field.FieldType);
            Attributes(field);
        }

        foreach (var property in type.Properties) Attributes(property);
        foreach (var method in type.Methods) Method(method);
        foreach (var nested in type.NestedTypes) Walk(nested, room);

        void Method(MethodDefinition method)
        {
            Use(method.ReturnType);
            Attributes(method);
            Attributes(method.MethodReturnType);
            Constraints(method.GenericParameters);
            foreach (var parameter in method.Parameters)
            {
                Use(parameter.ParameterType);
                Attributes(parameter);
            }

            if (!method.HasBody) return;
            foreach (var variable in method.Body.Variables) Use(variable.VariableType);
            foreach (var handler in method.Body.ExceptionHandlers) Use(handler.CatchType);
            foreach (var instruction in method.Body.Instructions) Operand(instruction);
        }

        void Operand(Instruction instruction)
        {
            if (instruction.Operand is TypeReference named) Use(named);
            if (instruction.Operand is CallSite site)
                foreach (var type in site.Parameters.Select(parameter => parameter.ParameterType).Prepend(site.ReturnType)) Use(type);
            if (instruction.Operand is not MemberReference member) return;
            Use(member.DeclaringType);
            if (member is FieldReference field) Use(field.FieldType);
            if (member is not MethodReference called) return;
            Use(called.ReturnType);
            foreach (var parameter in called.Parameters) Use(parameter.ParameterType);
            if (called is GenericInstanceMethod generic)
                foreach (var argument in generic.GenericArguments) Use(argument);
        }

        void Constraints(IEnumerable<GenericParameter> parameters)
        {
            foreach (var constraint in parameters.SelectMany(parameter => parameter.Constraints)) Use(constraint.ConstraintType);
        }

        void Attributes(ICustomAttributeProvider bearer)
        {
            foreach (var attribute in bearer.CustomAttributes)
            {
                Use(attribute.AttributeType);
                foreach (var argument in attribute.ConstructorArguments.Concat(
                    attribute.Fields.Concat(attribute.Properties).Select(named => named.Argument)))
                    Argument(argument);
            }
        }

        void Argument(CustomAttributeArgument argument)
        {
            Use(argument.Type);
            switch (argument.Value)
            {
                case TypeReference named: Use(named); break;
                case CustomAttributeArgument boxed: Argument(boxed); break;
                case CustomAttributeArgument[] several:
                    foreach (var one in several) Argument(one);
                    break;
            }
        }

        void Use(TypeReference? used)
        {
            if (used is null) return;
            if (used is FunctionPointerType pointer)
            {
                Use(pointer.ReturnType);
                foreach (var parameter in pointer.Parameters) Use(parameter.ParameterType);
                return;
            }

            if (used is GenericInstanceType generic)
                foreach (var argument in generic.GenericArguments) Use(argument);
            if (used is TypeSpecification { ElementType: var element })
            {
                Use(element);
                return;
            }

            if (RoomOf(used) is { } other && other != room) arrows.TryAdd((room, other), $"{type.FullName} uses {used.FullName}");
        }
    }
}
