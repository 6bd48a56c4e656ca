-- Tables of a dtrain cluster. Orleans asks for its statements by name in the table OrleansQuery; names of columns and parameters are its own.
CREATE SCHEMA IF NOT EXISTS dtrain;

CREATE TABLE dtrain.schema_version (version int NOT NULL, applied timestamptz NOT NULL DEFAULT now());
INSERT INTO dtrain.schema_version (version) VALUES (1);

-- One row per cluster: its number guards every change to the cluster's members.
CREATE TABLE dtrain.membership (
    cluster text PRIMARY KEY,
    version int NOT NULL DEFAULT 0);

CREATE TABLE dtrain.member (
    cluster text NOT NULL REFERENCES dtrain.membership,
    address text NOT NULL,
    port int NOT NULL,
    generation int NOT NULL,
    silo_name text NOT NULL,
    host_name text NOT NULL,
    status int NOT NULL,
    proxy_port int NOT NULL,
    suspect_times text,
    start_time timestamptz NOT NULL,
    alive_time timestamptz NOT NULL,
    PRIMARY KEY (cluster, address, port, generation));

-- The hash tells apart keys that Orleans writes as one number: see ExactKeyHash.
CREATE TABLE dtrain.grain_state (
    service text NOT NULL,
    grain_type text NOT NULL,
    key_0 bigint NOT NULL,
    key_1 bigint NOT NULL,
    key_text text NOT NULL,
    key_hash int NOT NULL,
    payload bytea,
    version int NOT NULL,
    modified timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (service, grain_type, key_0, key_1, key_text, key_hash));

CREATE TABLE dtrain.orleansquery (querykey text PRIMARY KEY, querytext text NOT NULL);

INSERT INTO dtrain.orleansquery (querykey, querytext) VALUES
('InsertMembershipVersionKey', $$
    WITH made AS (INSERT INTO dtrain.membership (cluster) VALUES (@DeploymentId) ON CONFLICT DO NOTHING RETURNING 1)
    SELECT count(*)::int FROM made $$),
('InsertMembershipKey', $$
    WITH known AS (
        SELECT 1 FROM dtrain.member
        WHERE cluster = @DeploymentId AND address = @Address AND port = @Port AND generation = @Generation),
    next AS (
        UPDATE dtrain.membership SET version = version + 1
        WHERE cluster = @DeploymentId AND version = @Version AND NOT EXISTS (SELECT 1 FROM known) RETURNING 1),
    made AS (
        INSERT INTO dtrain.member (cluster, address, port, generation, silo_name, host_name, status, proxy_port, start_time, alive_time)
        SELECT @DeploymentId, @Address, @Port, @Generation, @SiloName, @HostName, @Status, @ProxyPort, @StartTime, @IAmAliveTime
        FROM next RETURNING 1)
    SELECT count(*)::int FROM made $$),
('UpdateMembershipKey', $$
    WITH known AS (
        SELECT 1 FROM dtrain.member
        WHERE cluster = @DeploymentId AND address = @Address AND port = @Port AND generation = @Generation),
    next AS (
        UPDATE dtrain.membership SET version = version + 1
        WHERE cluster = @DeploymentId AND version = @Version AND EXISTS (SELECT 1 FROM known) RETURNING 1),
    changed AS (
        UPDATE dtrain.member SET status = @Status, suspect_times = @SuspectTimes, alive_time = greatest(alive_time, @IAmAliveTime)
        FROM next
        WHERE cluster = @DeploymentId AND address = @Address AND port = @Port AND generation = @Generation RETURNING 1)
    SELECT count(*)::int FROM changed $$),
('UpdateIAmAlivetimeKey', $$
    UPDATE dtrain.member SET alive_time = @IAmAliveTime
    WHERE cluster = @DeploymentId AND address = @Address AND port = @Port AND generation = @Generation $$),
('MembershipReadRowKey', $$
    SELECT t.cluster AS DeploymentId, m.address AS Address, m.port AS Port, m.generation AS Generation, m.silo_name AS SiloName,
        m.host_name AS HostName, m.status AS Status, m.proxy_port AS ProxyPort, m.suspect_times AS SuspectTimes,
        m.start_time AS StartTime, m.alive_time AS IAmAliveTime, t.version AS Version
    FROM dtrain.membership t LEFT JOIN dtrain.member m
        ON m.cluster = t.cluster AND m.address = @Address AND m.port = @Port AND m.generation = @Generation
    WHERE t.cluster = @DeploymentId $$),
('MembershipReadAllKey', $$
    SELECT t.cluster AS DeploymentId, m.address AS Address, m.port AS Port, m.generation AS Generation, m.silo_name AS SiloName,
        m.host_name AS HostName, m.status AS Status, m.proxy_port AS ProxyPort, m.suspect_times AS SuspectTimes,
        m.start_time AS StartTime, m.alive_time AS IAmAliveTime, t.version AS Version
    FROM dtrain.membership t LEFT JOIN dtrain.member m ON m.cluster = t.cluster
    WHERE t.cluster = @DeploymentId $$),
('DeleteMembershipTableEntriesKey', $$
    DELETE FROM dtrain.member WHERE cluster = @DeploymentId;
    DELETE FROM dtrain.membership WHERE cluster = @DeploymentId $$),
('CleanupDefunctSiloEntriesKey', $$
    DELETE FROM dtrain.member
    WHERE cluster = @DeploymentId AND status = 6 AND alive_time < @IAmAliveTime AND start_time < @IAmAliveTime $$),
('CleanupDefunctSiloEntryKey', $$
    DELETE FROM dtrain.member
    WHERE cluster = @DeploymentId AND status = 6 AND address = @Address AND port = @Port AND generation = @Generation
        AND alive_time = @IAmAliveTime AND start_time = @StartTime AND coalesce(suspect_times, '') = coalesce(@SuspectTimes, '') $$),
('GatewaysQueryKey', $$
    SELECT address AS Address, proxy_port AS ProxyPort, generation AS Generation FROM dtrain.member
    WHERE cluster = @DeploymentId AND status = @Status AND proxy_port > 0 $$),
('ReadFromStorageKey', $$
    SELECT payload AS PayloadBinary, now() AS StoreTime, version AS Version FROM dtrain.grain_state
    WHERE service = @ServiceId AND grain_type = @GrainTypeString AND key_0 = @GrainIdN0 AND key_1 = @GrainIdN1
        AND key_text = coalesce(@GrainIdExtensionString, '') AND key_hash = @GrainIdHash $$),
-- The version that was expected comes back when nothing was written: Orleans takes that for a conflict.
('WriteToStorageKey', $$
    WITH changed AS (
        UPDATE dtrain.grain_state SET payload = @PayloadBinary, version = version + 1, modified = now()
        WHERE service = @ServiceId AND grain_type = @GrainTypeString AND key_0 = @GrainIdN0 AND key_1 = @GrainIdN1
            AND key_text = coalesce(@GrainIdExtensionString, '') AND key_hash = @GrainIdHash AND version = @GrainStateVersion
        RETURNING version),
    made AS (
        INSERT INTO dtrain.grain_state (service, grain_type, key_0, key_1, key_text, key_hash, payload, version)
        SELECT @ServiceId, @GrainTypeString, @GrainIdN0, @GrainIdN1, coalesce(@GrainIdExtensionString, ''), @GrainIdHash, @PayloadBinary, 1
        WHERE @GrainStateVersion IS NULL
        ON CONFLICT DO NOTHING RETURNING version)
    SELECT version AS NewGrainStateVersion FROM changed
    UNION ALL SELECT version FROM made
    UNION ALL SELECT @GrainStateVersion WHERE NOT EXISTS (SELECT 1 FROM changed) AND NOT EXISTS (SELECT 1 FROM made) $$),
('ClearStorageKey', $$
    WITH changed AS (
        UPDATE dtrain.grain_state SET payload = NULL, version = version + 1, modified = now()
        WHERE service = @ServiceId AND grain_type = @GrainTypeString AND key_0 = @GrainIdN0 AND key_1 = @GrainIdN1
            AND key_text = coalesce(@GrainIdExtensionString, '') AND key_hash = @GrainIdHash AND version = @GrainStateVersion
        RETURNING version)
    SELECT version AS NewGrainStateVersion FROM changed
    UNION ALL SELECT @GrainStateVersion WHERE NOT EXISTS (SELECT 1 FROM changed) $$);
