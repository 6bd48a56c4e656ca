using System.Globalization;
using System.Net.Sockets;

namespace Distributed.Training.Exchange;

/// <summary>Callers at a listener that have not proven who they are: so many at once, none for longer than it may.</summary>
/// <remarks>
/// A silo proves itself within milliseconds. Where a newcomer finds no place, the caller that has held one longest makes room, so that
/// strangers who only hold connections keep no silo out.
/// </remarks>
public sealed class UnprovenCallers(int most, TimeSpan longest, TimeProvider time)
{
    private readonly TimeSpan longest = longest;
    private readonly TimeProvider time = time;
    private readonly Lock gate = new();
    private readonly LinkedList<Place> places = [];

    /// <summary>
    /// Gives a caller its time. When it is over, or the place is needed, the socket is closed and blocking calls on it end.
    /// </summary>
    public Place Enter(Socket caller)
    {
        Place place = new(this, caller);
        Place? oldest = null;
        lock (gate)
        {
            places.AddLast(place);
            if (places.Count > most)
            {
                oldest = places.First!.Value;
                places.RemoveFirst();
            }
        }
        oldest?.Close($"{most} later callers came before it had proved itself");
        return place;
    }

    /// <summary>A caller's stay.</summary>
    public sealed class Place : IDisposable
    {
        private readonly UnprovenCallers listener;
        private readonly Socket caller;
        private readonly ITimer timer;
        private volatile string? closed;

        internal Place(UnprovenCallers listener, Socket caller)
        {
            (this.listener, this.caller) = (listener, caller);
            timer = listener.time.CreateTimer(_ => Expire(), null, listener.longest, Timeout.InfiniteTimeSpan);
        }

        /// <value>Why the caller was closed; null when it was not.</value>
        public string? Closed => closed;

        /// <summary>The caller is proven: nothing closes it any more.</summary>
        /// <exception cref="IOException">Its time was over before.</exception>
        public void Prove()
        {
            lock (listener.gate)
            {
                if (!listener.places.Remove(this)) throw new IOException(closed ?? "its place was taken");
            }
        }

        public void Dispose()
        {
            lock (listener.gate) _ = listener.places.Remove(this);
            timer.Dispose();
        }

        internal void Close(string why)
        {
            closed = why;
            caller.Dispose();
        }

        private void Expire()
        {
            lock (listener.gate)
                if (!listener.places.Remove(this)) return;
            Close(string.Create(CultureInfo.InvariantCulture, $"no greeting within {listener.longest.TotalSeconds:0.###} s"));
        }
    }
}
