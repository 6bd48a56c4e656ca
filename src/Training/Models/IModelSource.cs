namespace Distributed.Training.Models;

/// <summary>Options that build their model themselves: all that a model of another program needs.</summary>
internal interface IModelSource
{
    IModel Create();
}
