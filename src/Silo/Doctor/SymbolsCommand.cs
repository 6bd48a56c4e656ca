using System.Text.Json;
using Distributed.Core.Jobs;
using Distributed.Training.Native;

namespace Distributed.Silo.Doctor;

/// <summary>
/// <c>dtrain-silo symbols</c>: what the program needs of libtorch and does not find, as one JSON object; nothing of libtorch is called.
/// </summary>
internal static class SymbolsCommand
{
    public static int Run(IReadOnlyList<string> arguments)
    {
        if (arguments.Count > 0)
        {
            Console.Error.WriteLine($"dtrain-silo: symbols takes no arguments; found '{arguments[0]}'.");
            return 2;
        }
        try
        {
            var inventory = SymbolInventory.Take();
            Console.WriteLine(JsonSerializer.Serialize(inventory, MachineDoctor.Options));
            return inventory.Missing.Count == 0 ? 0 : 1;
        }
        catch (JobException e)
        {
            Console.WriteLine(JsonSerializer.Serialize(new { error = new { e.Code, e.Message } }, MachineDoctor.Options));
            return 1;
        }
    }
}
