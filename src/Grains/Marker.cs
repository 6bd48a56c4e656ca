namespace Distributed.Grains;

internal static class Marker;
