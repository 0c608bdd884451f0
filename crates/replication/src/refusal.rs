//! Why a helper does not act: one variant per cause, each with what the operator can do.
//!
//! A refusal changes nothing. The agent retries every few seconds (docs/CONTRACT.md, 1.2). A refusal that time may cure
//! is repeated until its cause is gone.

mod borrowed;
mod unproved;

pub use unproved::Unproved;

use std::time::Duration;

use mmm_core::Coded;

use crate::position::BinlogPosition;

/// A refusal. Its text is the helper's `ERROR:` line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum Refusal {
    /// `set_active_master` was told the host's own name.
    #[error("New master is equal to local host!? ({host}); name another host, or correct 'this' of {host}")]
    NewMasterIsThisHost {
        /// This host.
        host: String,
    },

    /// `set_active_master` was told a name that the configuration does not have.
    #[error("No config present for host '{name}'; hosts in the configuration: {known}")]
    UnknownHost {
        /// The name.
        name: String,
        /// The names that there are.
        known: String,
    },

    /// This host replicates from no host.
    #[error("{host} is not a replica of any host: set replication up first (CHANGE MASTER TO …)")]
    NotAReplica {
        /// This host.
        host: String,
    },

    /// No channel of this host replicates from a host of the configuration.
    #[error(
        "Invalid master host in show slave status: {host} replicates from {sources}, which no host section \
         has as ip and mysql_port; correct the section, or point {host} at a host of the cluster"
    )]
    ForeignSource {
        /// This host.
        host: String,
        /// Its channels' sources.
        sources: String,
    },

    /// No channel of this host was recognised, and a name that decides it has no address at the moment.
    #[error(
        "nobody knows whether {host} replicates from a host of the cluster: its source is {source_address}. {reason}; try \
         again when the name service answers, or write the name in /etc/hosts"
    )]
    UnresolvedSource {
        /// The host.
        host: String,
        /// Its channel's source.
        source_address: String,
        /// What the name service said.
        reason: String,
    },

    /// Several channels replicate from hosts of the configuration.
    #[error(
        "{host} has {count} replication channels from cluster hosts ({names}): name the one that is meant in \
         mmm_helpers.yaml: replication: {{channel: …}}"
    )]
    SeveralChannels {
        /// This host.
        host: String,
        /// How many.
        count: usize,
        /// Their names.
        names: String,
    },

    /// `replication.channel` names a channel that does not exist.
    #[error(
        "{host} has no replication channel '{name}' (replication.channel in mmm_helpers.yaml); it has {names}: name \
         one of these there"
    )]
    UnknownChannel {
        /// This host.
        host: String,
        /// The name.
        name: String,
        /// The names that there are.
        names: String,
    },

    /// Another helper is at work on this host's replication.
    #[error(
        "connection {holder} on {host} holds the lock of these helpers: an earlier call's statement that still runs, or \
         another helper; try again when it is done"
    )]
    #[strum(serialize = "replication-busy")]
    Busy {
        /// This host.
        host: String,
        /// Connection id of the one who holds the lock, and what it does there.
        holder: String,
    },

    /// The new master writes no binary log.
    #[error("{new} has no binary log: nobody can replicate from it; set log_bin there and restart it")]
    NoBinlog {
        /// The new master.
        new: String,
    },

    /// The new master does not log what it replicates.
    #[error(
        "{new} does not log what it replicates (log_slave_updates is off), so what {host} still needs cannot \
         be found there; set log_slave_updates=ON on {new}"
    )]
    NoSlaveUpdates {
        /// The replica.
        host: String,
        /// The new master.
        new: String,
    },

    /// The server would move the channel again by itself.
    #[error(
        "{host} moves its channel to other sources by itself (SOURCE_CONNECTION_AUTO_FAILOVER=1), so that MMM cannot; \
         switch that off there"
    )]
    MovesItself {
        /// The replica.
        host: String,
    },

    /// Two servers share a server id.
    #[error("{host} and {new} both have server_id {id}; give every server its own")]
    SameServerId {
        /// The replica.
        host: String,
        /// The new master.
        new: String,
        /// The id.
        id: u64,
    },

    /// The channel drops everything that comes from the new master.
    #[error(
        "{host} ignores events of server id {id}, which is {new} (IGNORE_SERVER_IDS), and would lose its writes; take {id} \
         out of that list on {host}"
    )]
    IgnoresNewMaster {
        /// The replica.
        host: String,
        /// The new master.
        new: String,
        /// Its server id.
        id: u64,
    },

    /// The new master drops or does not log some events.
    #[error(
        "{new} filters what it replicates or logs ({filters}), so {host} would miss rows; remove the filters, or give \
         all hosts the same"
    )]
    #[strum(serialize = "new-master-filters")]
    Filtered {
        /// The replica.
        host: String,
        /// The new master.
        new: String,
        /// The filters.
        filters: String,
    },

    /// The new master leaves databases out of its log, and the old one does not say whether it did, too.
    #[error(
        "{new} leaves databases out of its log ({filters}), and {old} does not answer whether it left them out, too: \
         {host} has executed the log of {old} to {applied}, {new} has fetched it to {fetched}, and {new} may have \
         logged only a part of what lies between. Start {old}, closed to writes, and call again; or, if all hosts have \
         the same filters, say so in mmm_helpers.yaml: attach: {{log_filters_agree: true}}; or rebuild {host} from \
         {new}"
    )]
    OldFiltersUnknown {
        /// The replica.
        host: String,
        /// The new master.
        new: String,
        /// The old master.
        old: String,
        /// The new master's filters.
        filters: String,
        /// The replica's position in the old master's log.
        applied: String,
        /// How much of that log the new master has.
        fetched: String,
        /// True if the replica still applies what it has fetched.
        may_pass: bool,
    },

    /// Temporary tables of replicated statements are open.
    #[error(
        "{host} has {count} replicated temporary tables open, which a change of master would lose; try again when they \
         are closed"
    )]
    TemporaryTables {
        /// The replica.
        host: String,
        /// How many.
        count: u64,
    },

    /// The SQL thread of a host failed.
    #[error(
        "replication on {host} has stopped: {error}; fix that first (SHOW REPLICA STATUS on {host} shows it, on MariaDB \
         and before MySQL 8.0.22 SHOW SLAVE STATUS; of parallel appliers of MySQL: SELECT LAST_ERROR_MESSAGE FROM \
         performance_schema.replication_applier_status_by_worker WHERE LAST_ERROR_NUMBER > 0)"
    )]
    ApplierFailed {
        /// The host.
        host: String,
        /// Number and text of the server's error.
        error: String,
    },

    /// The old master still takes writes.
    #[error(
        "{old} still takes writes (read_only is off): run mysql_deny_write there first, or set read_only=1"
    )]
    OldMasterWritable {
        /// The old master.
        old: String,
    },

    /// The old master is alive but cannot be examined.
    #[error(
        "cannot tell whether {old} still takes writes: {reason}; let agent_user in there, or shut {old} down"
    )]
    OldMasterUnreadable {
        /// The old master.
        old: String,
        /// What it answered.
        reason: String,
    },

    /// The replica has executed something that the new master has not (yet).
    #[error(
        "{host} has executed {gtid}, {new} only up to {known}: {host} stays where it is until {new} has applied that; \
         retry, and if this stays so, fix replication on {new}"
    )]
    NewMasterBehind {
        /// The replica.
        host: String,
        /// The new master.
        new: String,
        /// What it lacks.
        gtid: String,
        /// What it has of that server in that domain.
        known: String,
    },

    /// The replica has executed something that the new master will never get.
    #[error(
        "{host} is ahead of {new}: it has executed {gtid}, {new} has {known} and can get no more; mmm_difference {host} \
         {new} shows and saves what is missing; copy those rows to {new}, or rebuild {host} from {new}"
    )]
    ReplicaAhead {
        /// The replica.
        host: String,
        /// The new master.
        new: String,
        /// What the new master lacks.
        gtid: String,
        /// What it has of that server in that domain.
        known: String,
    },

    /// The new master's log has something before the replica's position that the replica has not executed.
    #[error(
        "{host} lacks {gtid}, which {new} logged before the position where {host} would continue ({new} wrote before \
         it had applied everything); rebuild {host} from {new}"
    )]
    ReplicaLacksEarlier {
        /// The replica.
        host: String,
        /// The new master.
        new: String,
        /// What it lacks.
        gtid: String,
    },

    /// The new master's log is not in one order, and the replica's own log does not show what the replica has.
    #[error(
        "{new} logged {gtid} after a later number of the same domain, and {host} has no log that reaches back to \
         that: nobody can tell whether it has every row; rebuild {host} from {new}, and set log_slave_updates=ON"
    )]
    OutOfOrder {
        /// The replica.
        host: String,
        /// The new master.
        new: String,
        /// The first transaction out of order.
        gtid: String,
    },

    /// The new master has a domain of which the replica knows nothing.
    #[error(
        "{new} has GTID domain {domain}, of which {host} has executed nothing: it would replay the whole domain; \
         if {host} has those rows, stop it and set gtid_slave_pos, else rebuild it"
    )]
    UnknownDomain {
        /// The replica.
        host: String,
        /// The new master.
        new: String,
        /// The domain.
        domain: u32,
    },

    /// The new master has deleted the logs that the replica needs.
    #[error(
        "{new} has purged the binary log that holds {gtid}, where {host} would continue; rebuild {host} from {new}"
    )]
    #[strum(serialize = "log-purged")]
    Purged {
        /// The replica.
        host: String,
        /// The new master.
        new: String,
        /// The replica's position.
        gtid: String,
    },

    /// The replica's last transaction is in none of the new master's logs, although the new master's state includes it.
    #[error(
        "{gtid}, the last that {host} executed, is not in the binary logs of {new}; rebuild {host} from {new}"
    )]
    NotInLog {
        /// The replica.
        host: String,
        /// The new master.
        new: String,
        /// The replica's position.
        gtid: String,
    },

    /// The new master has executed something that it did not log.
    #[error(
        "the binary log of {new} lacks {gtid} (log_slave_updates was off for a while, or the server was killed with \
         sync_binlog=0, or it skipped a transaction): {host} cannot continue there; rebuild {host} from {new}"
    )]
    LogLacks {
        /// The replica.
        host: String,
        /// The new master.
        new: String,
        /// What is missing, as GTIDs.
        gtid: String,
    },

    /// The replica's domains are at several positions in the new master's log, so that no single position describes
    /// them.
    #[error(
        "the GTID domains of {host} are at different positions in the log of {new}, so no file and position is right; \
         switch {host} to GTID (MASTER_USE_GTID=slave_pos, SOURCE_AUTO_POSITION=1)"
    )]
    NoSinglePosition {
        /// The replica.
        host: String,
        /// The new master.
        new: String,
    },

    /// There are no usable GTIDs, and the servers are not quiet at one known position.
    #[error("{}", cause.words(host, new, reason))]
    #[strum(serialize = "")]
    Unproved {
        /// The replica.
        host: String,
        /// The new master.
        new: String,
        /// What is to be fixed.
        cause: Unproved,
        /// What is missing.
        reason: String,
        /// True if it may come within a moment.
        may_pass: bool,
    },

    /// The search through the new master's log took too long.
    #[error(
        "the search for {what} in the log of {new} did not end in the time of this call; run it by hand with --wait \
         forever"
    )]
    SearchTooLong {
        /// The new master.
        new: String,
        /// What was looked for.
        what: String,
    },

    /// Too much of the call was over before anything was stopped.
    #[error(
        "moving {host} to {new} was not begun: it took {waited:.1?} of this call until it was certain that {host} may \
         move; retry, or run it by hand with a longer --wait"
    )]
    NoTimeLeft {
        /// The replica.
        host: String,
        /// The new master.
        new: String,
        /// How much of the call is over.
        waited: Duration,
    },

    /// Replication did not come to a halt.
    #[error("{host} did not stop replicating within {waited:.1?} (a long transaction?); {then}")]
    DoesNotStop {
        /// The replica.
        host: String,
        /// How long it was waited for.
        waited: Duration,
        /// What the server still does, and what can be done.
        then: String,
    },

    /// A person interrupted the call.
    #[error("interrupted: {state}")]
    Interrupted {
        /// How things were left.
        state: String,
    },

    /// The new master has no connection left for the replication account.
    #[error(
        "{new} has no connection left for replication_user '{user}': {reason}; end what holds them there (SHOW \
         PROCESSLIST, max_connections, max_user_connections), then retry"
    )]
    NoConnectionLeft {
        /// The new master.
        new: String,
        /// The account.
        user: String,
        /// What the server said.
        reason: String,
    },

    /// The new master does not let the replication account in.
    #[error(
        "{new} refuses replication_user '{user}': {reason}; fix it and replication_password in the configuration, or \
         the account on {new}"
    )]
    AccountRefused {
        /// The new master.
        new: String,
        /// The account.
        user: String,
        /// What the new master said.
        reason: String,
    },

    /// Only this replica fetched the last transactions. If it applied them, it would be ahead of the new master for
    /// ever.
    #[error(
        "meanwhile {host} applies nothing more: it fetched from {old}, which is unreachable, what {new} does not have; \
         try again when {new} has applied all that it fetched"
    )]
    AppliesNoFurther {
        /// The replica.
        host: String,
        /// The old master.
        old: String,
        /// The new master.
        new: String,
    },

    /// A move failed and replication is not as it was before.
    #[error("{reason}; {consequence}")]
    NotPutBack {
        /// Why it was not moved.
        reason: String,
        /// How the replica was left, and what to do.
        consequence: String,
    },

    /// Replication from the new master did not start.
    #[error("{host} cannot replicate from {new}: {reason}; {consequence}")]
    DoesNotStart {
        /// The replica.
        host: String,
        /// The new master.
        new: String,
        /// What the threads say.
        reason: String,
        /// Where the replica was left.
        consequence: String,
    },

    /// The peer is not the source of this host's replication.
    #[error(
        "{host} does not replicate from its peer {peer} but from {source_address}; {}",
        if host == peer {
            format!("correct peer of {host} in mmm_common.conf")
        } else {
            format!("run 'set_active_master {peer}' there first")
        }
    )]
    WrongSource {
        /// This host.
        host: String,
        /// Its configured peer.
        peer: String,
        /// What it replicates from.
        source_address: String,
    },

    /// The peer still takes writes.
    #[error(
        "{peer} still takes writes (read_only is off); {then}; run mysql_deny_write on {peer} first, then try again"
    )]
    PeerWritable {
        /// The peer.
        peer: String,
        /// What does not happen.
        then: String,
    },

    /// The peer is alive but cannot be examined.
    #[error("cannot tell what {peer} has written: {reason}; {then}. Fix that on {peer}")]
    PeerUnreadable {
        /// The peer.
        peer: String,
        /// What it answered.
        reason: String,
        /// What does not happen.
        then: String,
    },

    /// Nobody can log in to the peer, but its replication connection to this host still brings signs of life.
    #[error(
        "{peer} is alive although nobody can log in there ({reason}): {host} heard it over its replication connection \
         {heard:.1?} ago; {then}. Fix what keeps log-ins out (packet filter, load), or shut {peer} down; after \
         {limit:.1?} of silence it counts as dead"
    )]
    PeerIsAlive {
        /// The peer.
        peer: String,
        /// Why nobody can log in.
        reason: String,
        /// This host.
        host: String,
        /// How long ago the peer was heard.
        heard: Duration,
        /// What does not happen.
        then: String,
        /// After how much silence it counts as dead.
        limit: Duration,
    },

    /// Nobody can log in to the peer, which accepts connections. The I/O thread from it has just been started and also
    /// waits to be let in, or there is none.
    #[error(
        "{peer} may be alive although nobody can log in there ({reason}): it accepts connections, and {sign}; {then}. \
         Fix what keeps log-ins out (load, name service), or shut {peer} down; after {limit:.1?} it counts as dead"
    )]
    PeerMayBeAlive {
        /// The peer.
        peer: String,
        /// Why nobody can log in.
        reason: String,
        /// Since when this host has seen no more of it.
        sign: String,
        /// What does not happen.
        then: String,
        /// After how long the peer counts as dead.
        limit: Duration,
    },

    /// The peer does not answer, and `allow_write.fence` failed: the peer may still take writes.
    #[error(
        "{peer} does not answer, and could not be fenced: {failure}; {then}. Repair {peer}, or the command; or see that \
         {peer} takes no writes, and run on {host}: mysql_allow_write --force"
    )]
    NotFenced {
        /// This host.
        host: String,
        /// The peer.
        peer: String,
        /// What became of the command.
        failure: String,
        /// What does not happen.
        then: String,
    },

    /// The peer's log ends before what was already fetched from it.
    #[error(
        "the log of {peer} ends at {end}, but {host} has fetched it to {fetched}: it was reset or is another \
         server's; {then}. Set replication from {peer} up anew"
    )]
    LogWasReset {
        /// This host.
        host: String,
        /// The peer.
        peer: String,
        /// End of the peer's log.
        end: BinlogPosition,
        /// What this host fetched.
        fetched: BinlogPosition,
        /// What does not happen.
        then: String,
    },

    /// The peer's log lacks what the peer has executed, and gives old numbers to new transactions.
    #[error(
        "the log of {peer} was reset: it begins before {gtid}, which {peer} has replicated, and lacks it, so that {host} \
         may have taken new transactions for old ones; {then}. Rebuild {host} from {peer}"
    )]
    LogBegunAnew {
        /// This host.
        host: String,
        /// The peer.
        peer: String,
        /// What its log lacks.
        gtid: String,
        /// What does not happen.
        then: String,
    },

    /// The peer's log ends before what this host has of it.
    #[error(
        "the log of {peer} lacks {gtid}, which it once sent to {host}: {peer} lost the end of its log, as in a crash with \
         sync_binlog=0, or the log was reset; {then}. {host} has more than {peer}: do not rebuild it from there; to open \
         {host}: mysql_allow_write --force, and then rebuild {peer} from {host}"
    )]
    PeerLogCut {
        /// This host.
        host: String,
        /// The peer.
        peer: String,
        /// What the peer lacks.
        gtid: String,
        /// What does not happen.
        then: String,
    },

    /// This host's own log ends before what the peer, or another slave, has of it.
    #[error(
        "{host} lost the end of its own log: {peer} has {missing}; a crash with sync_binlog=0 does that, and a reset of \
         the log; {then}. Rebuild {host} from {peer}; mysql_allow_write --force opens it without \
         those rows, and all other hosts have to be rebuilt from it then"
    )]
    OwnLogCut {
        /// This host.
        host: String,
        /// The peer, or the slave that has it.
        peer: String,
        /// What this host lacks, as GTIDs or as a position in its log.
        missing: String,
        /// What does not happen.
        then: String,
    },

    /// Something that the peer wrote is not applied here.
    #[error("{missing} from {peer} not yet applied ({applied} of {target}); {then}")]
    NotApplied {
        /// The peer.
        peer: String,
        /// How much, in words.
        missing: String,
        /// What this host has applied.
        applied: String,
        /// What it has to apply.
        target: String,
        /// What does not happen.
        then: String,
    },

    /// A survivor has more of a dead master's log than this host, and this host may not open without that
    /// (`allow_write.survivors: require`).
    #[error(
        "only {survivor} has {tail} of {peer}, and {host} could not take that over: {reason}; {then} \
         (allow_write.survivors: require). To see and save it: mmm_difference {survivor} {host}; to open without it: \
         mysql_allow_write --force"
    )]
    TailLeft {
        /// This host.
        host: String,
        /// The host that has it.
        survivor: String,
        /// The dead master.
        peer: String,
        /// How much, in words.
        tail: String,
        /// Why.
        reason: String,
        /// What does not happen.
        then: String,
    },

    /// This host is about to have all that a survivor has of a dead master's log, but not yet.
    #[error(
        "{host} takes over from {survivor} what only {survivor} has, and is not done yet: {state}; {then}; try again"
    )]
    StillTakingOver {
        /// This host.
        host: String,
        /// The survivor.
        survivor: String,
        /// How far it has come.
        state: String,
        /// What does not happen.
        then: String,
    },

    /// What a survivor alone has cannot be taken over.
    #[error("{host} cannot take over from {survivor} what only {survivor} has: {reason}")]
    TailUnfit {
        /// The host that would take it over.
        host: String,
        /// The survivor.
        survivor: String,
        /// What is wrong with it.
        reason: String,
    },

    /// A slave has more of a dead master's log than the new master, which takes that over before it opens.
    #[error(
        "{host} has {more}, {new} {known}; {new} takes over what only {host} has before it opens: try again then \
         (sync_with_master on {new} does it at once)"
    )]
    NotTakenOverYet {
        /// The replica.
        host: String,
        /// The new master.
        new: String,
        /// What the replica has, in words.
        more: String,
        /// What the new master has.
        known: String,
    },

    /// A slave has more of a dead master's log than the new master, which cannot take that over.
    #[error(
        "{host} has {more}, {new} {known}, and {why}; a move would throw it away. Try again when {new} is open; or let \
         {host} apply it ({start}), and see it with: mmm_difference {host} {new}"
    )]
    TailOnlyFetched {
        /// The replica.
        host: String,
        /// The new master.
        new: String,
        /// What the replica has, in words.
        more: String,
        /// What the new master has.
        known: String,
        /// Why it cannot take that over.
        why: String,
        /// The statement by which the replica would apply it.
        start: String,
    },

    /// Starting replication would discard what nobody can send again.
    #[error(
        "{host} has fetched the log of {source_host} to {fetched} and applied it to {applied}; {source_host} does not send \
         the rest again ({reason}), and starting replication by GTID would throw the rest away. {cure}"
    )]
    BacklogAtRisk {
        /// This host.
        host: String,
        /// The source, which does not send that again.
        source_host: String,
        /// End of what was fetched.
        fetched: String,
        /// End of what was applied.
        applied: String,
        /// Why that is believed.
        reason: String,
        /// How it is applied without the source.
        cure: String,
    },

    /// A thread that should apply or fetch does not run.
    #[error(
        "replication from {peer} does not run on {host}: {reason}; {then}. Fix that, then run turn_on_slave there"
    )]
    NotRunning {
        /// This host.
        host: String,
        /// The peer.
        peer: String,
        /// What the threads say.
        reason: String,
        /// What does not happen.
        then: String,
    },

    /// Another helper is closing this server, or opening it.
    #[error(
        "another helper is closing or opening {host} (connection {holder}); writes stay closed. Retry when it is done; \
         if that connection is stuck, run KILL {holder} there"
    )]
    BeingClosed {
        /// This host.
        host: String,
        /// Connection id of the one who holds the lock.
        holder: String,
    },

    /// `read_only` waits for something that does not end.
    #[error("{host} is not closed: read_only still waits, for {by}; run mysql_deny_write --wait 60 there")]
    HeldBack {
        /// This host.
        host: String,
        /// For whom.
        by: String,
    },

    /// Sessions were told to end and did not.
    #[error("{host} is not closed for certain: still open: {open}; run mysql_deny_write --wait 60 there")]
    StillOpen {
        /// This host.
        host: String,
        /// The sessions, without their statements.
        open: String,
    },

    /// Somebody opened the server again while it was being closed.
    #[error(
        "{host} is not closed: somebody else set read_only back meanwhile; find out who, and run mysql_deny_write again"
    )]
    ReopenedMeanwhile {
        /// This host.
        host: String,
    },

    /// The log still grows although nobody should be able to write.
    #[error(
        "{host} is not closed for certain: its own binary log still grows; does an event, or an account with the right \
         to ignore read_only, still write? See SHOW EVENTS and SHOW PROCESSLIST there"
    )]
    LogMoves {
        /// This host.
        host: String,
    },

    /// The agent's account lacks a privilege.
    #[error(
        "{account} lacks {privilege} on {host} ({product}): SET SESSION sql_log_bin = 0; GRANT {all} ON {on} TO \
         {account}{why}"
    )]
    #[strum(serialize = "lacks-privilege")]
    Lacks {
        /// This host.
        host: String,
        /// What kind of server, since the names of privileges differ.
        product: String,
        /// The account as the server knows it.
        account: String,
        /// The privilege.
        privilege: String,
        /// All that the account needs there: one GRANT, not one after the other.
        all: String,
        /// What it has to be granted on.
        on: &'static str,
        /// What could not be done, if that is not plain from the privilege.
        why: String,
    },

    /// `blocking_type` is neither of the two allowed words.
    #[error(
        "Unknown blocking_type {word}; allowed values are: 'hard', 'soft'; {host} is closed as with 'hard': \
         read_only is on and no client is left. Correct it in mmm_common.conf"
    )]
    UnknownBlocking {
        /// The word.
        word: String,
        /// This host.
        host: String,
    },
}

impl Coded for Refusal {
    fn code(&self) -> &'static str {
        if let Self::Unproved { cause, .. } = self { cause.into() } else { self.into() }
    }
}

impl Refusal {
    /// The stable name of a refusal, for those who compare one. In a constant, a name that no refusal has does not
    /// compile.
    ///
    /// # Panics
    /// If no refusal has this name.
    #[must_use]
    pub const fn named(name: &'static str) -> &'static str {
        let names = <Self as strum::VariantNames>::VARIANTS;
        let mut number = 0;
        while number < names.len() {
            if is_equal(names[number].as_bytes(), name.as_bytes()) {
                return name;
            }
            number += 1;
        }
        panic!("no refusal has this name")
    }

    /// Replication on `host` did not come to a halt. A STOP that nobody waits for any more is carried out all the same.
    pub fn does_not_stop(host: impl Into<String>, waited: Duration) -> Self {
        let then = "the server still carries out the STOP (SHOW PROCESSLIST), and replication will then be stopped: \
                    turn_on_slave starts it again, once it is";
        Self::DoesNotStop { host: host.into(), waited, then: then.into() }
    }

    /// True if waiting may cure it within the call.
    pub fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::NewMasterBehind { .. }
                | Self::TemporaryTables { .. }
                | Self::Unproved { may_pass: true, .. }
                | Self::OldFiltersUnknown { may_pass: true, .. }
                | Self::NotApplied { .. }
                | Self::NotRunning { .. }
                | Self::NoConnectionLeft { .. }
        )
    }

    /// True if it compares the replica's position with what the replica has logged. While a replica applies, these two
    /// may be read at different moments and not belong together.
    pub fn rests_on_place(&self) -> bool {
        matches!(
            self,
            Self::ReplicaAhead { .. }
                | Self::ReplicaLacksEarlier { .. }
                | Self::LogLacks { .. }
                | Self::NoSinglePosition { .. }
                | Self::NotInLog { .. }
        )
    }
}

/// `==`, which constants cannot use yet.
const fn is_equal(one: &[u8], other: &[u8]) -> bool {
    let mut place = 0;
    while place < one.len() && place < other.len() && one[place] == other[place] {
        place += 1;
    }
    place == one.len() && place == other.len()
}
