using CsCheck;
using Distributed.Silo.Folders;

namespace Distributed.Silo.Tests;

public sealed class FileJournalTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("journal-").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public void AnyWriters_EveryLineOnceUnderItsNumber() =>
        Gen.Select(Gen.Int[0, 400].Array[1, 4], Gen.Int[1, 300]).Sample((writers, page) => Task.Run(async () =>
        {
            var folder = Path.Combine(root, Guid.NewGuid().ToString("N"));
            var total = 0;
            for (var epoch = 1; epoch <= writers.Length; epoch++)
            {
                await using var journal = await FileJournal.Open(folder, "events");
                Assert.Equal(total, journal.End);
                await journal.Begin(epoch);
                for (var left = writers[epoch - 1]; left > 0; left -= 7)
                {
                    var count = Math.Min(7, left);
                    await journal.Append([.. Enumerable.Range(total, count).Select(i => $"line {i} ä")]);
                    total += count;
                }
            }

            await using var reader = await FileJournal.Open(folder, "events");
            var seen = new List<string>();
            while (seen.Count < total) seen.AddRange(await reader.Read(seen.Count, page));
            Assert.Equal(Enumerable.Range(0, total).Select(i => $"line {i} ä"), seen);
            Assert.Empty(await reader.Read(total, page));
        }).GetAwaiter().GetResult(), iter: 20);

    [Fact]
    public async Task SupersededWriter_WhatItAddsLateDoesNotCount()
    {
        await using var old = await FileJournal.Open(root, "events");
        await old.Begin(1);
        await old.Append(["a", "b"]);
        await using var now = await FileJournal.Open(root, "events");
        await now.Begin(2);
        await now.Append(["c"]);
        await old.Append(["late", "later"]);
        await now.Append(["d"]);
        await using var reader = await FileJournal.Open(root, "events");
        Assert.Equal(["a", "b", "c", "d"], (await reader.Read(0, 10)).ToArray());
        Assert.Equal(4, reader.End);
    }

    [Fact]
    public async Task TornLine_WasNeverWritten()
    {
        await using (var journal = await FileJournal.Open(root, "events"))
        {
            await journal.Begin(1);
            await journal.Append(["a", "b"]);
        }

        await File.AppendAllTextAsync(Directory.GetFiles(root).Single(), "torn");
        await using var next = await FileJournal.Open(root, "events");
        Assert.Equal(2, next.End);
        await next.Begin(2);
        await next.Append(["c"]);
        Assert.Equal(["a", "b", "c"], (await next.Read(0, 10)).ToArray());
    }
}
