using System.Runtime.InteropServices;

namespace Distributed.Training.Native;

/// <summary>Names of C++ symbols as people write them.</summary>
internal static unsafe partial class SymbolName
{
    /// <returns>
    /// Such as <c>at::_ops::relu::call(at::Tensor const&amp;) [_ZN2at4_ops4relu4callERKNS_6TensorE]</c>; a name of C as it is.
    /// </returns>
    public static string Readable(string symbol)
    {
        var text = Demangle(symbol, 0, 0, out var status);
        if (status != 0 || text == 0) return symbol;
        var readable = $"{Marshal.PtrToStringUTF8(text)} [{symbol}]";
        NativeMemory.Free((void*)text);
        return readable;
    }

    [LibraryImport("libstdc++.so.6", EntryPoint = "__cxa_demangle", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint Demangle(string symbol, nint buffer, nint length, out int status);
}
