//! TLS with a certificate from files, taken anew when they change: certificates last weeks, servers longer.
//!
//! Entry points: [`Tls::load`], [`follow`]. Invariant: a pair of files that cannot be used never replaces one that can; the
//! server goes on with the old one and says so in its log.

use std::num::NonZeroU32;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use anyhow::Context;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// Where certificate and key are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// The certificate and those above it, as PEM, the server's own first.
    pub certificate: PathBuf,
    /// Its private key, as PEM.
    pub key: PathBuf,
    /// How often the files are looked at. Whoever renews a certificate does so days before the old one ends.
    #[serde(default = "look_every_ms")]
    pub look_every_ms: NonZeroU32,
}

/// Ten seconds: soon enough to see that a new certificate is taken, and two small files cost nothing.
fn look_every_ms() -> NonZeroU32 {
    NonZeroU32::new(10_000).unwrap_or(NonZeroU32::MIN)
}

/// What the files held: compared to see whether they have changed.
type Contents = (Vec<u8>, Vec<u8>);

/// A certificate in use.
pub struct Tls {
    files: TlsFiles,
    /// Takes the TLS side of connections.
    pub(super) acceptor: TlsAcceptor,
    shown: Arc<Shown>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}

/// The certificate that clients are shown now, and the files' contents that were looked at last.
#[derive(Debug)]
struct Shown {
    certified: RwLock<Arc<CertifiedKey>>,
    contents: RwLock<Contents>,
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // A lock is only ever held to put one pointer in its place.
        Some(Arc::clone(&self.certified.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Tls {
    /// Reads the files; an error says which one cannot be used, and why.
    pub fn load(files: &TlsFiles) -> anyhow::Result<Self> {
        let contents = read(files)?;
        let certified = RwLock::new(certified(files, &contents)?);
        let shown = Arc::new(Shown { certified, contents: RwLock::new(contents) });
        let mut config = rustls::ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .context("setting up TLS")?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&shown) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { files: files.clone(), acceptor: TlsAcceptor::from(Arc::new(config)), shown })
    }

    /// Takes what the files hold now, if that is new and can be used.
    fn look(&self) {
        let found = read(&self.files);
        if let Ok(contents) = &found
            && *self.shown.contents.read().unwrap_or_else(PoisonError::into_inner) == *contents
        {
            return;
        }
        let taken = found.and_then(|contents| {
            let certified = certified(&self.files, &contents);
            // Looked at once: the same mistake is not told again until the files change.
            *self.shown.contents.write().unwrap_or_else(PoisonError::into_inner) = contents;
            certified
        });
        match taken {
            Ok(certified) => {
                *self.shown.certified.write().unwrap_or_else(PoisonError::into_inner) = certified;
                tracing::info!("new connections are shown the new certificate");
            }
            Err(error) => tracing::error!("the certificate in use is kept: {error:#}"),
        }
    }
}

/// Looks at the files again and again, until the server stops.
pub async fn follow(tls: Arc<Tls>, stopping: watch::Receiver<bool>) {
    let stopping = crate::until_true(stopping);
    tokio::pin!(stopping);
    let every = Duration::from_millis(u64::from(tls.files.look_every_ms.get()));
    let mut due = tokio::time::interval(every);
    loop {
        tokio::select! {
            _ = due.tick() => tls.look(),
            () = &mut stopping => return,
        }
    }
}

fn read(files: &TlsFiles) -> anyhow::Result<Contents> {
    let read = |path: &Path| std::fs::read(path).with_context(|| format!("reading {}", path.display()));
    Ok((read(&files.certificate)?, read(&files.key)?))
}

/// The pair, checked: the key belongs to the certificate, and others on this machine cannot read it.
fn certified(files: &TlsFiles, (certificate, key): &Contents) -> anyhow::Result<Arc<CertifiedKey>> {
    let (certificate_path, key_path) = (files.certificate.display(), files.key.display());
    let metadata = std::fs::metadata(&files.key).with_context(|| format!("reading {key_path}"))?;
    anyhow::ensure!(
        metadata.permissions().mode() & 0o007 == 0,
        "everybody on this machine can read the private key {key_path}: run `chmod o= {key_path}`"
    );
    let chain: Vec<_> = CertificateDer::pem_slice_iter(certificate)
        .collect::<Result<_, _>>()
        .with_context(|| format!("reading the certificate in {certificate_path}"))?;
    anyhow::ensure!(!chain.is_empty(), "{certificate_path} holds no certificate in PEM");
    let key = PrivateKeyDer::from_pem_slice(key)
        .map_err(|_| anyhow::anyhow!("{key_path} holds no private key in PEM"))?;
    let key = aws_lc_rs::sign::any_supported_type(&key)
        .with_context(|| format!("using the private key in {key_path}"))?;
    let certified = CertifiedKey::new(chain, key);
    certified
        .keys_match()
        .with_context(|| format!("the key in {key_path} does not belong to {certificate_path}"))?;
    Ok(Arc::new(certified))
}
