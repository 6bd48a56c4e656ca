namespace Distributed.Training.Tests;
