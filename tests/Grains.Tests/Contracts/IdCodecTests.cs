using System.Buffers;
using Distributed.Core.Jobs;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using Orleans.Serialization.Buffers;
using Orleans.Serialization.Codecs;
using Orleans.Serialization.Serializers;
using Orleans.Serialization.Session;

namespace Distributed.Grains.Tests.Contracts;

/// <summary>Silos of an earlier version know these as texts and numbers: the bytes are the same.</summary>
public sealed class IdCodecTests : IDisposable
{
    private readonly ServiceProvider services = new ServiceCollection().AddSerializer().BuildServiceProvider();

    public void Dispose() => services.Dispose();

    [Fact]
    public void Bytes_AreThoseOfTextsAndNumbers()
    {
        Assert.Equal(Write("nightly-7", "a"), Write(JobId.Parse("nightly-7"), JobId.Parse("a")));
        Assert.Equal(Write<string?>(null, "a"), Write<JobId?>(null, JobId.Parse("a")));
        Assert.Equal(Write(""), Write(default(JobId)));
        Assert.Equal(Write(0, 1, 70_000), Write<Generation>(new(0), new(1), new(70_000)));
        Assert.Equal(Write(0, 1, 70_000), Write<Rank>(new(0), new(1), new(70_000)));
        Assert.Equal(Write<int?>(null, 3), Write<Rank?>(null, new Rank(3)));
    }

    /// <summary>The same text a second time is written as a reference to the first.</summary>
    [Fact]
    public void Read_TextTwice_IsTheIdTwice()
    {
        const string text = "nightly";
        var id = JobId.Parse(text);
        Assert.Equal([id, id], Read<JobId>(Write(text, text), 2));
    }

    [Fact]
    public void Read_WhatWasWritten_IsTheSame()
    {
        JobId?[] ids = [JobId.Parse("a"), null, JobId.Parse("a")];
        Assert.Equal(ids, Read<JobId?>(Write(ids), 3));
        Assert.Equal(new[] { "a", null, "a" }.ToList(), Read<string?>(Write(ids), 3).ToList());
        Assert.Equal([new Generation(7)], Read<Generation>(Write(new Generation(7)), 1));
        var serializer = services.GetRequiredService<Serializer>();
        Assert.Equal(JobId.Parse("a"), serializer.Deserialize<object>(serializer.SerializeToArray<object>(JobId.Parse("a"))));
        Assert.Equal(new Rank(5), serializer.Deserialize<object>(serializer.SerializeToArray<object>(new Rank(5))));
        Assert.Equal(new Generation(5), services.GetRequiredService<DeepCopier>().Copy<object>(new Generation(5)));
    }

    private byte[] Write<T>(params T[] values)
    {
        using var session = services.GetRequiredService<SerializerSessionPool>().GetSession();
        var codec = services.GetRequiredService<ICodecProvider>().GetCodec<T>();
        ArrayBufferWriter<byte> buffer = new();
        var writer = Writer.Create(buffer, session);
        foreach (var value in values) codec.WriteField(ref writer, 1, typeof(T), value);
        writer.Commit();
        return buffer.WrittenSpan.ToArray();
    }

    private T[] Read<T>(byte[] bytes, int count)
    {
        using var session = services.GetRequiredService<SerializerSessionPool>().GetSession();
        var codec = services.GetRequiredService<ICodecProvider>().GetCodec<T>();
        var reader = Reader.Create(bytes, session);
        var values = new T[count];
        for (var i = 0; i < count; i++) values[i] = codec.ReadValue(ref reader, reader.ReadFieldHeader())!;
        return values;
    }
}
