using Distributed.Core.Machine;

namespace Distributed.Core.Tests;

public sealed class MachineMemoryTests : IDisposable
{
    private const long Machine = 64L << 30;
    private readonly string root = Directory.CreateTempSubdirectory("dtrain-memory-").FullName;

    public MachineMemoryTests() => Write("proc/meminfo", $"MemTotal:       {Machine / 1024} kB\nMemFree:        1 kB\n");

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public void Read_NoGroups_IsTheMachines() => Assert.Equal(Machine, MachineMemory.Read(root));

    [Fact]
    public void Read_ContainerOfVersion2_IsItsLimit()
    {
        Write("proc/self/cgroup", "0::/\n");
        Write("sys/fs/cgroup/memory.max", $"{8L << 30}\n");
        Assert.Equal(8L << 30, MachineMemory.Read(root));
    }

    [Fact]
    public void Read_GroupWithinGroups_IsTheLeastOfAll()
    {
        Write("proc/self/cgroup", "0::/system.slice/dtrain.service\n");
        Write("sys/fs/cgroup/system.slice/dtrain.service/memory.max", "max\n");
        Write("sys/fs/cgroup/system.slice/memory.max", $"{4L << 30}\n");
        Assert.Equal(4L << 30, MachineMemory.Read(root));
        Write("sys/fs/cgroup/system.slice/memory.max", $"{1L << 50}\n");
        Assert.Equal(Machine, MachineMemory.Read(root));
    }

    [Fact]
    public void Read_Version1_IsItsLimit()
    {
        Write("proc/self/cgroup", "12:pids:/docker/a\n9:cpu,memory:/docker/a\n");
        Write("sys/fs/cgroup/memory/memory.limit_in_bytes", $"{2L << 30}\n");
        Assert.Equal(2L << 30, MachineMemory.Read(root));
    }

    private void Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(root, path))!);
        File.WriteAllText(Path.Combine(root, path), text);
    }
}
