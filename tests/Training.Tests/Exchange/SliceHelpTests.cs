using Distributed.Core.Jobs;
using Distributed.Testing.Training;
using Distributed.Training.Exchange;
using Distributed.Training.Ranks;

namespace Distributed.Training.Tests.Exchange;

/// <summary>
/// Sums that ranks make while they wait: never twice, never more than there is room for, and the bits of the mover's own.
/// </summary>
public sealed unsafe class SliceHelpTests : IDisposable
{
    private const int Ranks = 2;
    private readonly ExchangeRig rig = new([300_000, 5, 1_200_000, 77], [Ranks, 1], 6);
    private readonly ExchangeBuffers buffers;
    private readonly SliceHelp help;
    private int wakes;

    public SliceHelpTests()
    {
        buffers = new ExchangeBuffers(rig.Jobs[0]);
        help = Help(isOn: true);
        rig.Draw(1);
        buffers.Begin(new(1 / 3f, 0.7f));
        help.Begin();
        buffers.Gather();
    }

    private SliceHelp Help(bool isOn) =>
        new(buffers, new RankBarrier([new Rank(0), new Rank(1)], "silo-0", TimeSpan.FromMinutes(10)), isOn, () => wakes++);

    public void Dispose()
    {
        help.Dispose();
        buffers.Dispose();
        rig.Dispose();
    }

    private IEnumerable<int> SlicesOf(int owner) =>
        Enumerable.Range(0, rig.Plan.Slices.Count).Where(s => rig.Plan.Slices[s].Owner == owner);

    [Fact]
    public void TryWork_OperandOffered_MakesWhatTheMoverWould()
    {
        var slice = SlicesOf(1).First(s => rig.Plan.Slices[s].Length > 10_000);
        help.OfferOperands(slice);
        Assert.True(help.TryWork(1));
        Assert.Equal(1, wakes);
        Assert.True(help.HasNews);
        help.See();
        Assert.False(help.HasNews);
        Assert.True(help.TryTakeOperand(slice, 0, out var ready));
        Assert.NotEqual(0, ready.Room);

        var scratch = new float[rig.Plan.LongestSlice];
        var presence = new byte[buffers.PresenceBytes(slice)];
        fixed (float* room = scratch)
        {
            var address = buffers.Operand(slice, 0, (nint)room, presence);
            var length = rig.Plan.Slices[slice].Length;
            Assert.True(
                new ReadOnlySpan<float>((void*)ready.Address, length).SequenceEqual(new ReadOnlySpan<float>((void*)address, length)));
        }
        Assert.True(new ReadOnlySpan<byte>((void*)ready.Presence, presence.Length).SequenceEqual(presence));
    }

    [Fact]
    public void TryWork_MoverWasFirst_LeavesTheOperandToIt()
    {
        var slice = SlicesOf(1).First();
        help.OfferOperands(slice);
        Assert.True(help.TryTakeOperand(slice, 0, out var ready));
        Assert.Equal(0, ready.Room);
        for (var k = 1; k < rig.Plan.Partials[0].Count; k++) Assert.True(help.TryTakeOperand(slice, k, out _));
        Assert.False(help.TryWork(0));
        Assert.Equal(0, wakes);
    }

    [Fact]
    public void TryWork_MoreOperandsThanRooms_WaitsForOneToBeReturned()
    {
        foreach (var slice in SlicesOf(1)) help.OfferOperands(slice);
        var made = 0;
        while (help.TryWork(made % Ranks)) made++;
        Assert.InRange(made, 1, SlicesOf(1).Count() * rig.Plan.Partials[0].Count - 1);
        Assert.True(help.TryTakeOperand(SlicesOf(1).First(), 0, out var ready));
        help.Return(ready.Room);
        Assert.True(help.TryWork(0));
        Assert.False(help.TryWork(0));
    }

    [Fact]
    public void OfferFold_RankOrMover_EachSliceComesBackOnce()
    {
        Assert.False(help.IsThere);
        help.Join();
        Assert.True(help.IsThere);
        // The other silo's gradients: none.
        var own = SlicesOf(0).Take(3).ToArray();
        foreach (var slice in own)
        {
            for (var k = 0; k < rig.Plan.Partials[1].Count; k++)
            {
                _ = buffers.Incoming(1, k, slice);
                buffers.Arrived(1, k, slice, new byte[buffers.PresenceBytes(slice)]);
            }
            help.OfferFold(slice);
        }
        Assert.True(help.TryWork(1));
        Assert.True(help.TryFold(out var second, out _));
        Assert.True(help.TryWork(0));
        Assert.False(help.TryWork(0));
        List<int> back = [second];
        while (help.TryTakeFolded(out var slice, out _)) back.Add(slice);
        Assert.Equal(own, back.Order());
    }

    [Fact]
    public void OfferOperands_CoresAreShared_OffersNothing()
    {
        using var off = Help(isOn: false);
        off.Join();
        off.OfferOperands(SlicesOf(1).First());
        Assert.False(off.IsThere);
        Assert.False(off.TryWork(0));
        Assert.True(off.TryTakeOperand(SlicesOf(1).First(), 0, out var ready));
        Assert.Equal(0, ready.Room);
    }
}
