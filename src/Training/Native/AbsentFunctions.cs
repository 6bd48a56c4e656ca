using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Distributed.Core.Jobs;

namespace Distributed.Training.Native;

/// <summary>
/// Makes the call of a function that the loaded libtorch lacks an exception, where the loader would end the process with exit code 127.
/// </summary>
/// <remarks>
/// The bridge calls libtorch through a table of addresses that the loader fills at the first call of each. For an absent function
/// its place is given the address of a few instructions that raise <c>std::runtime_error</c> with the function's name; the bridge
/// catches that like any error of libtorch, and TorchSharp throws it as an ExternalException. x86-64, System V calls.
/// </remarks>
internal static unsafe partial class AbsentFunctions
{
    private const string Raise = "_ZSt21__throw_runtime_errorPKc";
    private const string AnyExport = "THSTensor_data";
    private const int StubBytes = 32, ReadWrite = 3, ReadExecute = 5, PrivateAnonymous = 0x22;

    /// <param name="bridge">Handle of the loaded bridge.</param>
    /// <param name="absent">Functions with a slot in the bridge's table; others are left alone.</param>
    /// <exception cref="JobException">Code <c>native</c>: the system gives no memory for the instructions.</exception>
    public static void Guard(nint bridge, IReadOnlyList<ElfImport> absent, string libtorch)
    {
        var lazy = absent.Where(import => import is { IsEager: false, Slot: not 0 }).ToList();
        if (lazy.Count == 0) return;
        Place place;
        if (FindPlace(NativeLibrary.GetExport(bridge, AnyExport), &place) == 0)
            throw new JobException(ErrorCodes.Native, "dladdr does not know where TorchSharp's bridge was loaded.");
        var raise = NativeLibrary.GetExport(NativeLibrary.Load("libstdc++.so.6"), Raise);
        var bytes = (nuint)(lazy.Count * StubBytes);
        var stubs = (byte*)Map(0, bytes, ReadWrite, PrivateAnonymous, -1, 0);
        if ((nint)stubs == -1) throw new JobException(ErrorCodes.Native, $"mmap failed with error {Marshal.GetLastPInvokeError()}.");
        for (var i = 0; i < lazy.Count; i++)
        {
            var text = $"{libtorch} has no {SymbolName.Readable(lazy[i].Name)}; "
                + $"name a libtorch {LibtorchBuild.Bridge} in {LibtorchFolder.Variable}, or do without this operation";
            Write(new Span<byte>(stubs + (i * StubBytes), StubBytes), Keep(text), raise);
        }
        if (Protect((nint)stubs, bytes, ReadExecute) != 0)
            throw new JobException(ErrorCodes.Native, $"mprotect failed with error {Marshal.GetLastPInvokeError()}.");
        for (var i = 0; i < lazy.Count; i++) *(nint*)(place.Base + (nint)lazy[i].Slot) = (nint)(stubs + (i * StubBytes));
    }

    /// <summary>mov rdi, text; mov rax, raise; jmp rax: a tail call, so that the bridge is what the exception leaves.</summary>
    private static void Write(Span<byte> stub, nint text, nint raise)
    {
        stub.Fill(0xCC);
        stub[0] = 0x48;
        stub[1] = 0xBF;
        BinaryPrimitives.WriteInt64LittleEndian(stub[2..], text);
        stub[10] = 0x48;
        stub[11] = 0xB8;
        BinaryPrimitives.WriteInt64LittleEndian(stub[12..], raise);
        stub[20] = 0xFF;
        stub[21] = 0xE0;
    }

    /// <summary>A text for the life of the process.</summary>
    private static nint Keep(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text + '\0');
        var memory = NativeMemory.Alloc((nuint)bytes.Length);
        bytes.CopyTo(new Span<byte>(memory, bytes.Length));
        return (nint)memory;
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int Protect(nint address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "dladdr")]
    private static partial int FindPlace(nint address, Place* place);

    /// <summary>Dl_info.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Place
    {
        public nint File;
        public nint Base;
        public nint Symbol;
        public nint SymbolAddress;
    }
}
