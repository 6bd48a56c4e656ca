namespace Distributed.Core.Tests;
