//! Which of a replica's channels is meant: the one that replicates from a host of the configuration.

mod attempts;
pub(crate) mod awaited;
pub(crate) mod liveness;
pub(crate) mod settling;
mod silence;
pub mod threads;
pub(crate) mod wait;
pub(crate) mod workers;

use std::net::IpAddr;

use mmm_core::config::{Config, Host};
use mmm_core::names;

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
    for channel in &channels {
        if let Some(source) = by_address(config, channel)? {
            found.push((channel.clone(), source));
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
    match found.len() {
        0 => {
            let sources = channels.iter().map(Channel::source).collect::<Vec<_>>().join(", ");
            Err(Refusal::ForeignSource { host, sources }.into())
        }
        1 => {
            let (channel, source) = found.remove(0);
            Ok(Chosen { channel, source })
        }
        count => {
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
        Err(Error::Refused(refusal)) if matches!(*refusal, Refusal::ForeignSource { .. }) => {
            let mut channels = all(server)?;
            channels.retain(|channel| config.channel.as_ref().is_none_or(|name| channel.name == *name));
            if channels.len() == 1 { Ok((channels.remove(0), None)) } else { Err(Error::Refused(refusal)) }
        }
        Err(error) => Err(error),
    }
}

/// The addresses of a channel's source.
pub fn addresses(channel: &Channel) -> Vec<IpAddr> {
    // A source without an address is nobody's, whatever the reason.
    names::addresses(&channel.source_host, names::PATIENCE).unwrap_or_default()
}

fn names_of(channels: &[Channel]) -> String {
    channels.iter().map(|channel| format!("'{}'", channel.name)).collect::<Vec<_>>().join(", ")
}

/// The host of the configuration that a channel names, in any spelling.
pub(crate) fn by_address<'c>(config: &'c Config, channel: &Channel) -> Result<Option<&'c Host>, Error> {
    if let Some(host) = config.host_at(&channel.source_host, channel.source_port)? {
        return Ok(Some(host));
    }
    let by_name = config.host(&channel.source_host).filter(|host| host.mysql_port == channel.source_port);
    if by_name.is_some() || channel.source_host.parse::<IpAddr>().is_ok() {
        return Ok(by_name);
    }
    for address in addresses(channel) {
        if let Some(host) = config.host_at(&address.to_string(), channel.source_port)? {
            return Ok(Some(host));
        }
    }
    Ok(None)
}
