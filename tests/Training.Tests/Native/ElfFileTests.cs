using Distributed.Testing;
using Distributed.Training.Native;
using Distributed.Training.Tests.Data;

namespace Distributed.Training.Tests.Native;

public sealed class ElfFileTests : IDisposable
{
    private static readonly LibtorchFolder Libtorch = LibtorchFolder.Find();
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    private string Write(string name, byte[] content)
    {
        File.WriteAllBytes(directory.File(name), content);
        return directory.File(name);
    }

    [Fact]
    public void Read_Libtorch_SaysWhatItIsAndNeeds()
    {
        var core = ElfFile.Read(Libtorch.Find(LibtorchFolder.Core)!);
        Assert.Equal(LibtorchFolder.Core, core.SoName);
        Assert.Contains("libc10.so", core.Needed);
        Assert.Matches("^[0-9a-f]{40}$", core.BuildId);
    }

    [Fact]
    public void ReadImports_Bridge_TellsEagerFromLazy()
    {
        var imports = TorchSharpBridge.Find().Imports;
        Assert.Equal(imports.Count, imports.Select(import => import.Name).Distinct().Count());
        // Data is there when the library is loaded, functions at their first call.
        Assert.True(imports.Single(import => import.Name == "_ZN2at8indexing8EllipsisE").IsEager);
        var relu6 = imports.Single(import => import.Name == "_ZN2at4_ops5relu64callERKNS_6TensorE");
        Assert.False(relu6.IsEager);
        Assert.NotEqual(0, relu6.Slot);
        // What it defines itself, or can do without, is no import.
        Assert.DoesNotContain(imports, import => import.Name is "THSTensor_data" or "__cxa_finalize");
    }

    /// <summary>The loader maps such a file, and the process dies at the first use of what is missing.</summary>
    [Theory]
    [InlineData(0.001)]
    [InlineData(0.5)]
    [InlineData(0.99)]
    public void Read_CutShort_IsRefused(double part)
    {
        var whole = File.ReadAllBytes(Libtorch.Find("libc10.so")!);
        var path = Write("libc10.so", whole[..(int)(whole.Length * part)]);
        var error = Assert.Throws<InvalidDataException>(() => ElfFile.Read(path));
        Assert.Contains($"{path} is cut short", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new byte[0], "has 0 bytes")]
    [InlineData(new[] { (byte)'v' }, "has 1 bytes")]
    public void Read_NearlyNothing_IsRefused(byte[] content, string words) =>
        Assert.Contains(
            words, Assert.Throws<InvalidDataException>(() => ElfFile.Read(Write("x.so", content))).Message, StringComparison.Ordinal);

    [Fact]
    public void Read_AnotherMachinesLibrary_IsRefused()
    {
        var image = File.ReadAllBytes(Libtorch.Find("libc10.so")!);
        image[18] = 183;
        Assert.Contains(
            "for machine 183", Assert.Throws<InvalidDataException>(() => ElfFile.Read(Write("x.so", image))).Message,
            StringComparison.Ordinal);
    }

    /// <summary>Damage is an error with words, wherever it is.</summary>
    [Fact]
    public void Read_DamagedAnywhere_NeverEndsInAnythingElse()
    {
        var image = File.ReadAllBytes(Libtorch.Find("libtorch.so")!);
        Random draw = new(7);
        for (var i = 0; i < 2000; i++)
        {
            var damaged = (byte[])image.Clone();
            for (var flips = draw.Next(1, 8); flips > 0; flips--)
                damaged[draw.Next(draw.Next(2) == 0 ? 1024 : damaged.Length)] = (byte)draw.Next(256);
            var path = Write("x.so", damaged);
            try
            {
                _ = ElfFile.Read(path).ReadImports();
            }
            catch (InvalidDataException e)
            {
                Assert.Contains(path, e.Message, StringComparison.Ordinal);
            }
        }
    }
}
