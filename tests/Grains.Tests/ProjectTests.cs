namespace Distributed.Grains.Tests;
