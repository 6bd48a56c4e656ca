namespace Distributed.Silo.Failures;

/// <summary>Error words of a silo that cannot start, in addition to those of jobs.</summary>
internal static class ServeErrors
{
    public const string SettingsInvalid = "settings-invalid";
    public const string PortInUse = "port-in-use";
    public const string StoreUnreachable = "store-unreachable";
    public const string StoreSchema = "store-schema";
    public const string ClusterUnreachable = "cluster-unreachable";
    public const string RootTaken = "root-taken";
    public const string RootNotShared = "root-not-shared";
    public const string SiloNameTaken = "silo-name-taken";
}
