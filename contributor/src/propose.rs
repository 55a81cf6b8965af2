//! `propose`: asks the server to take a channel's posts. An admin decides.
//!
//! Entry point: [`propose`].

use shared::post::{ChannelRef, Source};
use shared::wire::{ChannelDetail, ChannelStatus};

use crate::api::{Api, NoAnswer};
use crate::failure::Failure;
use crate::outbox::Outbox;

/// Which channel is proposed.
#[derive(Debug)]
pub struct Wanted {
    /// Its id on Discord.
    pub channel: String,
    /// Its name.
    pub name: String,
}

/// Proposes this channel, or every channel that the outbox holds posts of because the server does not take them. Returns what
/// the server says of each.
pub async fn propose(outbox: &Outbox, api: &Api, wanted: Option<Wanted>) -> Result<String, Failure> {
    let channels: Vec<ChannelRef> = match wanted {
        Some(Wanted { channel, name }) => {
            vec![ChannelRef { source: Source::Discord, external_id: channel, name }]
        }
        None => outbox.held().await?.into_iter().map(|held| held.channel).collect(),
    };
    if channels.is_empty() {
        return Ok(
            "no posts are held: `--channel ID --name NAME` proposes a channel before there are any\n".into()
        );
    }
    let mut text = String::new();
    for channel in channels {
        let known = api.propose(&channel).await.map_err(|error| match error {
            NoAnswer::Never(reason) => Failure::Configuration(reason),
            NoAnswer::Later(reason) => Failure::Other(anyhow::anyhow!("{reason}")),
        })?;
        text += &answer(&known);
    }
    Ok(text)
}

fn answer(known: &ChannelDetail) -> String {
    let record = &known.record;
    let next = match record.status {
        ChannelStatus::Proposed => {
            "an admin decides; what its first proposer posts meanwhile is kept, and published after the approval"
        }
        ChannelStatus::Approved | ChannelStatus::Paused => {
            "if your posts are held, ask an admin to enrol you in it"
        }
        ChannelStatus::Blocked => "an admin has decided against it",
    };
    format!("{} ({}) is {}: {next}\n", record.name, record.external_id, record.status)
}
