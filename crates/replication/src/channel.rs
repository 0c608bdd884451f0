//! Which of a replica's channels is meant: the one that replicates from a host of the configuration.

mod attempts;
pub(crate) mod awaited;
pub(crate) mod liveness;
pub(crate) mod own_gtids;
pub(crate) mod settling;
mod silence;
pub mod threads;
pub(crate) mod wait;
pub(crate) mod workers;

use std::net::IpAddr;

use mmm_core::config::{Config, Host};
use mmm_core::{Budget, names};

use crate::error::Error;
use crate::refusal::Refusal;
use crate::server::Server;
use crate::status::{Channel, IoThread};

/// Every channel of a server.
pub fn all(server: &mut Server) -> Result<Vec<Channel>, Error> {
    Ok(server.rows(server.dialect().show_channels())?.into_iter().map(Channel::from_record).collect())
}

/// A channel again, as it is now.
pub fn again(server: &mut Server, name: &str) -> Result<Channel, Error> {
    let found = all(server)?.into_iter().find(|channel| channel.name == name);
    found.ok_or_else(|| Refusal::NotAReplica { host: server.host().into() }.into())
}

/// The channel from a cluster host, with that host.
#[derive(Debug)]
pub struct Chosen<'c> {
    /// The channel.
    pub channel: Channel,
    /// The host that it replicates from.
    pub source: &'c Host,
}

/// Finds the channel that replicates from a host of the configuration.
///
/// A host is recognised by name, by address and port in any spelling, or by the addresses that a host name resolves to;
/// and if all these fail, by its server id, for which `server_ids` asks the configured hosts.
pub fn choose<'c>(
    server: &mut Server,
    config: &'c Config,
    server_ids: impl Fn(u64) -> Option<&'c Host>,
) -> Result<Chosen<'c>, Error> {
    let host = server.host().to_string();
    let mut channels = all(server)?;
    if channels.is_empty() {
        return Err(Refusal::NotAReplica { host }.into());
    }
    if let Some(name) = &config.channel {
        let names = names_of(&channels);
        channels.retain(|channel| channel.name == *name);
        if channels.is_empty() {
            return Err(Refusal::UnknownChannel { host, name: name.clone(), names }.into());
        }
    }
    let mut found: Vec<(Channel, &Host)> = Vec::new();
    let mut unresolved = None;
    for channel in &channels {
        match by_address(server, config, channel) {
            Ok(source) => found.extend(source.map(|source| (channel.clone(), source))),
            Err(error) if is_unresolved(&error) => unresolved = Some(error),
            Err(error) => return Err(error),
        }
    }
    if found.is_empty() {
        // CHANGE MASTER does not clear the last source's id: the id is the present source's only while connected.
        for channel in channels.iter().filter(|channel| channel.io == IoThread::Yes) {
            if let Some(source) = server_ids(channel.source_server_id) {
                log::warn!(
                    "{} names no address of the configuration; server id {} is {}",
                    channel.source(),
                    channel.source_server_id,
                    source.name
                );
                found.push((channel.clone(), source));
            }
        }
    }
    match (found.len(), unresolved) {
        (0, Some(error)) => Err(error),
        (0, None) => {
            let sources = channels.iter().map(Channel::source).collect::<Vec<_>>().join(", ");
            Err(Refusal::ForeignSource { host, sources }.into())
        }
        (1, _) => {
            let (channel, source) = found.remove(0);
            Ok(Chosen { channel, source })
        }
        (count, _) => {
            let channels: Vec<_> = found.into_iter().map(|(channel, _)| channel).collect();
            Err(Refusal::SeveralChannels { host, count, names: names_of(&channels) }.into())
        }
    }
}

/// The channel for a helper that does not need the source, with the source if it is known: the channel from a cluster
/// host, else the one that the settings name, or the only one there is, as in the original helpers.
pub fn meant<'c>(server: &mut Server, config: &'c Config) -> Result<(Channel, Option<&'c Host>), Error> {
    match choose(server, config, |_| None) {
        Ok(chosen) => Ok((chosen.channel, Some(chosen.source))),
        Err(Error::Refused(refusal))
            if matches!(*refusal, Refusal::ForeignSource { .. } | Refusal::UnresolvedSource { .. }) =>
        {
            let mut channels = all(server)?;
            channels.retain(|channel| config.channel.as_ref().is_none_or(|name| channel.name == *name));
            if channels.len() == 1 { Ok((channels.remove(0), None)) } else { Err(Error::Refused(refusal)) }
        }
        Err(error) => Err(error),
    }
}

/// The addresses of a channel's source; none if the name service does not name any within a part of `budget`.
pub fn addresses(channel: &Channel, budget: Budget) -> Vec<IpAddr> {
    names::addresses(&channel.source_host, budget.share(names::PATIENCE)).unwrap_or_else(|error| {
        log::info!("{}: {error}", channel.title());
        Vec::new()
    })
}

fn names_of(channels: &[Channel]) -> String {
    channels.iter().map(|channel| format!("'{}'", channel.name)).collect::<Vec<_>>().join(", ")
}

/// The host of the configuration that a channel of `server` names, in any spelling. Either may use a name where the
/// other has an address.
///
/// # Errors
/// [`Refusal::UnresolvedSource`]: no host was recognised, and a name has no address at the moment. That is no proof that
/// the channel comes from somewhere else.
pub(crate) fn by_address<'c>(
    server: &Server,
    config: &'c Config,
    channel: &Channel,
) -> Result<Option<&'c Host>, Error> {
    let port = channel.source_port;
    if let Some(host) = config.host_at(&channel.source_host, port)? {
        return Ok(Some(host));
    }
    if let Some(host) = config.host(&channel.source_host).filter(|host| host.mysql_port == port) {
        return Ok(Some(host));
    }
    let resolved = |name: &str| {
        names::addresses(name, server.budget().share(names::PATIENCE)).map_err(|reason| {
            let (host, source_address) = (server.host().into(), channel.source());
            Error::from(Refusal::UnresolvedSource { host, source_address, reason: reason.to_string() })
        })
    };
    let addresses = resolved(&channel.source_host)?;
    for address in &addresses {
        if let Some(host) = config.host_at(&address.to_string(), port)? {
            return Ok(Some(host));
        }
    }
    let mut unresolved = None;
    let is_named = |host: &&Host| host.mysql_port == port && host.ip.parse::<IpAddr>().is_err();
    for host in config.hosts().iter().filter(is_named) {
        match resolved(&host.ip) {
            Ok(found) if found.iter().any(|address| is_one_of(*address, &addresses)) => {
                return Ok(Some(host));
            }
            Ok(_) => {}
            Err(error) => unresolved = Some(error),
        }
    }
    unresolved.map_or(Ok(None), Err)
}

/// True for the error of a name that has no address at the moment.
pub(crate) fn is_unresolved(error: &Error) -> bool {
    matches!(error, Error::Refused(refusal) if matches!(**refusal, Refusal::UnresolvedSource { .. }))
}

fn is_one_of(address: IpAddr, addresses: &[IpAddr]) -> bool {
    addresses.iter().any(|other| other.to_canonical() == address.to_canonical())
}
