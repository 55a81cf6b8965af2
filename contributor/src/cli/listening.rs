//! The commands about Discord: `run`, `check`, `channels`, `backfill`.

use time::OffsetDateTime;
use tokio::sync::watch;

use super::{Signals, open, until_stopped};
use crate::api::Api;
use crate::config::Settings;
use crate::failure::Failure;
use crate::source::discord;
use crate::{report, sender};

pub(super) async fn channels(settings: &Settings) -> Result<(), Failure> {
    let api = settings.endpoint().and_then(|endpoint| Api::new(&endpoint));
    report::print(&discord::channels(&settings.discord, api).await?)
}

pub(super) async fn check(settings: &Settings) -> Result<(), Failure> {
    let api = settings.endpoint().and_then(|endpoint| Api::new(&endpoint));
    let folder = settings.data_folder()?;
    provide_tls();
    let found = discord::check(&settings.discord, (api, &folder), launch::clock::now).await?;
    report::print(found.text())?;
    found.verdict()
}

pub(super) async fn backfill(
    settings: &Settings,
    channel: &str,
    since: OffsetDateTime,
) -> Result<(), Failure> {
    let (outbox, api) = open(settings).await?;
    outbox.set_filling(true);
    let work = async {
        let reading = async {
            let read =
                discord::backfill(&settings.discord, (&outbox, &api), (channel, since), launch::clock::now)
                    .await;
            outbox.set_filling(false);
            read
        };
        Ok(tokio::try_join!(reading, sender::drain(&outbox, &api, launch::clock::now))?.1)
    };
    let sent = until_stopped(&outbox, work, "the same command, run again, reads the rest").await?;
    report::print(&report::answers(sent))
}

pub(super) async fn listen(settings: &Settings) -> Result<(), Failure> {
    let (outbox, api) = open(settings).await?;
    provide_tls();
    let (stop, stopping) = watch::channel(false);
    let mut signals = Signals::new()?;
    let listening = discord::run(&settings.discord, (&outbox, &api), launch::clock::now, stopping);
    tokio::pin!(listening);
    tokio::select! {
        ended = &mut listening => ended,
        () = signals.next() => {
            tracing::info!("stopping");
            stop.send_replace(true);
            listening.await
        }
    }
}

/// The gateway's library takes the provider of TLS that the program has installed.
fn provide_tls() {
    // Somebody may have installed one already, in a test: then that one is used.
    let installed = rustls::crypto::aws_lc_rs::default_provider().install_default().is_ok();
    tracing::debug!(installed, "TLS is provided by aws-lc");
}
