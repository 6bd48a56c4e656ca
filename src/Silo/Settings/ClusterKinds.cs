namespace Distributed.Silo.Settings;

/// <summary>How silos find each other.</summary>
internal enum Clustering
{
    /// <summary>On this machine: the first silo holds the table of members.</summary>
    Localhost,

    /// <summary>On this machine: the table is a file under the jobs' root, so any silo may be lost.</summary>
    Files,
    Redis,
    Postgres,

    /// <summary>The table is one ConfigMap; nothing but the Kubernetes API is needed.</summary>
    Kubernetes,
}

/// <summary>Where the state of jobs lies.</summary>
internal enum StateStorage
{
    /// <summary>Under the jobs' root, which all silos share.</summary>
    Files,
    Redis,
    Postgres,

    /// <summary>Nowhere: lost with the silos.</summary>
    Memory,
}
