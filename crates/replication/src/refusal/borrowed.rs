//! The refusals of a move, as those of a takeover.
//!
//! A move is a slave's: if it cannot follow the new master, the slave is rebuilt. In a takeover the new master itself
//! goes to a slave for a moment. It must never be rebuilt from that slave, which has less than the new master will have.

use crate::gtid::Gtid;
use crate::refusal::Refusal;

impl Refusal {
    /// What a move to a survivor was refused for, in the words of a takeover. `survivor_id` is the `server_id` of the
    /// survivor, if it is known.
    #[must_use]
    pub(crate) fn of_takeover(self, survivor_id: Option<u64>) -> Self {
        let (host, survivor, what) = match self {
            Self::ReplicaLacksEarlier { host, new, gtid } => {
                let writer = gtid.parse::<Gtid>().ok().map(|gtid| u64::from(gtid.server));
                let what = if writer.is_some() && writer == survivor_id {
                    format!("{new} has {gtid}, which was written on {new} itself")
                } else {
                    format!(
                        "{new} has {gtid}, which {host} lacks, before the position where {host} would continue"
                    )
                };
                (host, new, what)
            }
            Self::OutOfOrder { host, new, gtid } => {
                let what = format!(
                    "{new} logged {gtid} after a later number of the same domain, and the log of {host} does not reach \
                     back to that"
                );
                (host, new, what)
            }
            Self::UnknownDomain { host, new, domain } => {
                let what = format!("{new} has GTID domain {domain}, of which {host} has executed nothing");
                (host, new, what)
            }
            Self::Purged { host, new, gtid } => {
                let what =
                    format!("{new} has purged the binary log that holds {gtid}, where {host} would continue");
                (host, new, what)
            }
            Self::NotInLog { host, new, gtid } => {
                let what =
                    format!("{gtid}, the last that {host} executed, is not in the binary logs of {new}");
                (host, new, what)
            }
            Self::LogLacks { host, new, gtid } => {
                let what = format!("the binary log of {new} lacks {gtid}");
                (host, new, what)
            }
            Self::ReplicaAhead { host, new, gtid, known } => {
                let what = format!("{host} has executed {gtid}, and {new} has {known}");
                (host, new, what)
            }
            Self::Unproved { host, new, reason, may_pass: false, .. } => {
                let what = format!("no position in the log of {new} can be proved: {reason}");
                (host, new, what)
            }
            other => return other,
        };
        let reason = format!(
            "{what}, so {host} cannot continue in its log; rebuild {survivor} afterwards, never {host}"
        );
        Self::TailUnfit { host, survivor, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_told_to_rebuild_the_new_master() {
        let (host, new) = ("db2".to_string(), "db3".to_string());
        let lacks = |gtid: &str| {
            let (host, new) = (host.clone(), new.clone());
            Refusal::ReplicaLacksEarlier { host, new, gtid: gtid.into() }
        };
        assert_eq!(
            lacks("0-3-3").of_takeover(Some(3)).to_string(),
            "db2 cannot take over from db3 what only db3 has: db3 has 0-3-3, which was written on db3 itself, so db2 \
             cannot continue in its log; rebuild db3 afterwards, never db2"
        );
        for id in [None, Some(9)] {
            let text = lacks("0-3-3").of_takeover(id).to_string();
            assert!(!text.contains("itself") && text.contains("never db2"), "{text}");
        }
        let gtid = "0-1-5".to_string();
        for refusal in [
            Refusal::OutOfOrder { host: host.clone(), new: new.clone(), gtid: gtid.clone() },
            Refusal::UnknownDomain { host: host.clone(), new: new.clone(), domain: 7 },
            Refusal::Purged { host: host.clone(), new: new.clone(), gtid: gtid.clone() },
            Refusal::NotInLog { host: host.clone(), new: new.clone(), gtid: gtid.clone() },
            Refusal::LogLacks { host: host.clone(), new: new.clone(), gtid: gtid.clone() },
            Refusal::ReplicaAhead { host: host.clone(), new: new.clone(), gtid: gtid.clone(), known: gtid },
        ] {
            let text = refusal.of_takeover(Some(3)).to_string();
            assert!(!text.contains("rebuild db2") && text.contains("rebuild db3 afterwards"), "{text}");
        }
    }
}
