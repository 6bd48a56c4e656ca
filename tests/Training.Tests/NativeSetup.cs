using System.Runtime.CompilerServices;
using Distributed.Training.Native;

namespace Distributed.Training.Tests;

internal static class NativeSetup
{
    [ModuleInitializer]
    internal static void Start() => NativeRuntime.Initialize();
}
