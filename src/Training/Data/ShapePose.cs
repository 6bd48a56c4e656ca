using Distributed.Core.Samples;

namespace Distributed.Training.Data;

/// <summary>
/// Where a figure stands in its 32x32 image and how large it is; whole numbers only, so that every machine draws the same.
/// </summary>
/// <param name="X">Centre, in half pixels.</param>
/// <param name="Radius">Half the figure's width, in half pixels.</param>
/// <param name="Stroke">Thickness of lines, in half pixels.</param>
/// <param name="Phase">Shift of a stripe pattern, in half pixels.</param>
internal readonly record struct ShapePose(int X, int Y, int Radius, int Stroke, int Phase)
{
    public static ShapePose Draw(ref CounterRandom random)
    {
        const int Drift = 10;
        var radius = 12 + random.NextInt(11);
        var x = 32 - Drift + random.NextInt((2 * Drift) + 1);
        var y = 32 - Drift + random.NextInt((2 * Drift) + 1);
        return new ShapePose(x, y, radius, 4 + random.NextInt(3), random.NextInt(32));
    }

    /// <summary>Whether the figure of a class covers the pixel.</summary>
    /// <param name="figure">
    /// 0 disc, 1 ring, 2 square, 3 frame, 4 triangle, 5 diagonal cross, 6 upright cross; 7 to 9: level, upright and slanting stripes.
    /// </param>
    public bool Covers(int figure, int x, int y)
    {
        int dx = (2 * x) + 1 - X, dy = (2 * y) + 1 - Y;
        int ax = Math.Abs(dx), ay = Math.Abs(dy), reach = Math.Max(ax, ay);
        var distance = (dx * dx) + (dy * dy);
        var inside = reach <= Radius;
        var hole = Radius - Stroke;
        return figure switch
        {
            0 => distance <= Radius * Radius,
            1 => distance <= Radius * Radius && distance >= hole * hole,
            2 => inside,
            3 => inside && reach >= hole,
            4 => inside && 2 * ax <= dy + Radius,
            5 => inside && Math.Abs(ax - ay) <= Stroke,
            6 => inside && Math.Min(ax, ay) <= Stroke / 2,
            7 => inside && Stripe(dy),
            8 => inside && Stripe(dx),
            _ => inside && Stripe(dx + dy),
        };
    }

    private bool Stripe(int along) => (along + Phase + 1024) % (2 * Stroke) < Stroke;
}
