namespace Distributed.Client.Tests;
