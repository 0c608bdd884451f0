//! The statements that change something.

use crate::position::BinlogPosition;
use crate::server::dialect::{Dialect, Flavour, Target, Threads};
use crate::status::{Mode, Place};

impl Dialect {
    /// MariaDB's: sets the GTID position from which a server continues; its threads must not run.
    pub fn set_position(self, gtids: &str) -> String {
        format!("SET GLOBAL gtid_slave_pos = {}", self.quote(gtids))
    }

    /// ` 'name'` as MariaDB has it after the verb; its default connection is `''`.
    fn in_front(self, channel: &str) -> String {
        if self.flavour == Flavour::MariaDb { format!(" {}", self.quote(channel)) } else { String::new() }
    }

    /// ` FOR CHANNEL 'name'` as MySQL has it at the end.
    fn behind(self, channel: &str) -> String {
        if self.flavour == Flavour::MySql && self.has_channels() {
            format!(" FOR CHANNEL {}", self.quote(channel))
        } else {
            String::new()
        }
    }

    /// Stops threads of a channel.
    pub fn stop(self, channel: &str, threads: Threads) -> String {
        self.with_threads("STOP", channel, threads)
    }

    /// Starts threads of a channel.
    pub fn start(self, channel: &str, threads: Threads) -> String {
        self.with_threads("START", channel, threads)
    }

    /// Starts threads of a channel; the SQL thread stops after a position in its source's log.
    pub fn start_until(self, channel: &str, threads: Threads, place: &BinlogPosition) -> String {
        let (replica, source) = (self.replica(), self.source());
        let (file, offset) = (self.quote(&place.file), place.offset);
        format!(
            "START {replica}{}{} UNTIL {source}_LOG_FILE={file}, {source}_LOG_POS={offset}{}",
            self.in_front(channel),
            threads.words(),
            self.behind(channel)
        )
    }

    fn with_threads(self, verb: &str, channel: &str, threads: Threads) -> String {
        let (replica, threads) = (self.replica(), threads.words());
        format!("{verb} {replica}{}{threads}{}", self.in_front(channel), self.behind(channel))
    }

    /// CHANGE MASTER with these options.
    fn change_to(self, channel: &str, options: &str) -> String {
        let verb =
            if self.is_mysql_since((8, 0, 23)) { "CHANGE REPLICATION SOURCE" } else { "CHANGE MASTER" };
        format!("{verb}{} TO {options}{}", self.in_front(channel), self.behind(channel))
    }

    /// Points a channel at another source: the statement, and the statement as it may be shown.
    pub fn change(self, channel: &str, target: &Target) -> (String, String) {
        let source = self.source();
        let heartbeat = match target.heartbeat.parse::<f64>() {
            Ok(seconds) if seconds.is_finite() && seconds >= 0.0 => {
                format!("{source}_HEARTBEAT_PERIOD={seconds}, ")
            }
            _ => String::new(),
        };
        let key = target.fetches_key.map_or_else(String::new, |fetches_key| {
            format!("GET_{source}_PUBLIC_KEY={}, ", u8::from(fetches_key))
        });
        let place = self.place(target.place);
        let statement = |password: &str| {
            let options = format!(
                "{source}_HOST={}, {source}_PORT={}, {source}_USER={}, {source}_PASSWORD={password}, \
                 {heartbeat}{key}{place}",
                self.quote(target.host),
                target.port,
                self.quote(target.user),
            );
            self.change_to(channel, &options)
        };
        (statement(&self.quote(target.password)), statement("'***'"))
    }

    /// Lets a stopped channel fetch its source's log again from a position on; what it had fetched is discarded.
    pub fn rewind(self, channel: &str, place: &Place) -> String {
        self.change_to(channel, &self.place(place))
    }

    fn place(self, place: &Place) -> String {
        let source = self.source();
        match place {
            Place::Gtid(Mode::AutoPosition) => format!("{source}_AUTO_POSITION=1"),
            Place::Gtid(Mode::CurrentPos) => "MASTER_USE_GTID=current_pos".into(),
            Place::Gtid(Mode::SlavePos | Mode::FilePosition) => "MASTER_USE_GTID=slave_pos".into(),
            Place::Position(BinlogPosition { file, offset }) => {
                let place = format!("{source}_LOG_FILE={}, {source}_LOG_POS={offset}", self.quote(file));
                match self.flavour {
                    Flavour::MariaDb => format!("{place}, MASTER_USE_GTID=no"),
                    Flavour::MySql => place,
                }
            }
        }
    }
}
