namespace Distributed.Silo.Doctor;

internal static class DoctorCommand
{
    public static int Run(IReadOnlyList<string> arguments)
    {
        Console.Error.WriteLine($"dtrain-silo: 'doctor {string.Join(' ', arguments)}' is not in this build.");
        return 2;
    }
}
