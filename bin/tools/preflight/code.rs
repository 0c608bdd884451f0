//! The stable names of what can be wrong. Programs tell findings apart by them (docs/PREFLIGHT.md).

use serde::Serialize;

/// What is wrong. Grouped by the checks that find it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, strum::Display, strum::IntoStaticStr, strum::VariantNames,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Code {
    ConfigInvalid,
    SettingsInvalid,
    ConfigNotFound,
    PreflightFailed,
    ConfigQuirk,
    ThisElsewhere,
    OneMaster,
    PeerNotMutual,
    RoleAddressShared,
    WriterRoleOnSlave,
    SameServer,

    ConfigWorldReadable,
    ConfigWorldWritable,
    HookUntrusted,
    HookMissing,

    HelperMissing,
    HelperNotExecutable,
    HelperFails,
    HelperForeign,
    HelperOverwritten,
    HelperVersionDiffers,
    PackageServesElsewhere,

    InterfaceUnusable,
    InterfaceNoCarrier,
    RightsMissing,

    BlockingTypeUnknown,
    FirewallCommandMissing,

    JournalUnwritable,
    StateUnwritable,

    LeftoverMarker,

    ServerUnreachable,

    VersionUnsupported,
    VersionOlderThanSource,
    ServerFamiliesDiffer,

    ServerIdZero,
    ServerIdDuplicate,

    ClockDiffers,

    AgentLoginRefused,
    ReplicationLoginRefused,

    PrivilegeMissing,
    ReplicationPrivilegeMissing,

    TlsFailed,
    TlsNotUsed,

    BinlogOff,
    LogSlaveUpdatesOff,
    SlaveKeepsNoLog,
    SlaveLendsNothing,

    GtidModeDiffers,
    ChannelModesDiffer,

    MasterFilters,
    SlaveFilters,

    AutoIncrementClash,

    CommitOrderOff,

    SemiSyncWait,
    SemiSyncAlone,
    SemiSyncDiffers,
    SemiSyncLendsNothing,

    SurvivorsOff,
    FenceLimit,

    RetrySlow,
    RetryGivesUp,

    ReadOnlyNotAtStart,

    LogNotSynced,
    CommitsNotFlushed,

    GtidStrictModeOff,

    LogsKeptTooShort,

    TablesWithoutTransactions,

    EventsMayWrite,

    ConnectionsScarce,

    UnknownChannel,
    NotReplicating,
    WrongSource,
    IoThreadStopped,
    IoThreadFailed,
    SqlThreadStopped,
    SqlThreadFailed,

    Lag,
    Delayed,

    TwoWriters,
    SlaveWritable,
    NoWriter,
    WriterWithoutAddress,

    AddressConflict,
    AddressMisplaced,
    AddressNowhere,
    CheckIpWrong,

    MoveRefused,
    DryRunUnknown,
    DryRunFailed,

    MoveWouldBeRefused,
    OpeningWouldBeRefused,
    TakeoverWouldBeRefused,

    ErrantTransaction,
}
