//! TLS from files, and what a server refuses before it listens.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use reqwest::tls::TlsInfo;
use reqwest::{Certificate, Client};
use server::config::Config;
use server::edge::limits::Limits;
use server::edge::tls::TlsFiles;
use support::eventually;
use support::postgres::Scratch;
use support::program::{command, run};
use support::server::{TestServer, generous};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// Settings by the names of their variables.
type Variables<'a> = &'a [(&'a str, &'a str)];

fn certificate() -> CertifiedKey<KeyPair> {
    generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap()
}

fn write_key(path: &Path, key: &str, mode: u32) {
    std::fs::write(path, key).unwrap();
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

fn write(folder: &TempDir, made: &CertifiedKey<KeyPair>) -> TlsFiles {
    let (certificate, key) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    write_key(&key, &made.signing_key.serialize_pem(), 0o600);
    TlsFiles { certificate, key, look_every_ms: 20.try_into().unwrap() }
}

async fn serve(files: TlsFiles) -> TestServer {
    let limits = Limits { head_ms: 500, ..generous() };
    TestServer::with(Scratch::new().await, Config { tls: Some(files), limits, ..Config::default() }).await
}

/// The certificate that a new connection is shown.
async fn shown(server: &TestServer) -> Vec<u8> {
    let client = Client::builder().tls_danger_accept_invalid_certs(true).tls_info(true).build().unwrap();
    let response = client.get(format!("{}/healthz", server.url)).send().await.unwrap();
    response.extensions().get::<TlsInfo>().unwrap().peer_certificate().unwrap().to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_knows_the_certificate_is_served_and_one_that_speaks_in_the_clear_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let made = certificate();
    let server = serve(write(&folder, &made)).await;
    let known = Certificate::from_pem(made.cert.pem().as_bytes()).unwrap();
    let client = Client::builder().tls_certs_only([known]).build().unwrap();
    let answer = client.get(format!("{}/healthz", server.url)).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(
        Client::new().get(format!("{}/healthz", server.url)).send().await.is_err(),
        "a stranger's certificate"
    );
    let in_the_clear = server.url.replacen("https", "http", 1);
    assert!(Client::new().get(format!("{in_the_clear}/healthz")).send().await.is_err());
    let mut silent = TcpStream::connect(server.url.trim_start_matches("https://")).await.unwrap();
    assert_eq!(silent.read(&mut [0; 1]).await.unwrap_or_default(), 0, "whoever shakes no hands is cut off");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_is_taken_and_one_that_cannot_be_used_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second, third) = (certificate(), certificate(), certificate());
    let files = write(&folder, &first);
    let server = serve(files.clone()).await;
    assert_eq!(shown(&server).await, first.cert.der().to_vec());
    write(&folder, &second);
    eventually("the second one is shown", async || shown(&server).await == second.cert.der().to_vec()).await;
    // Half of a renewal: the certificate is new, the key is not.
    std::fs::write(&files.certificate, third.cert.pem()).unwrap();
    for _ in 0..20 {
        assert_eq!(shown(&server).await, second.cert.der().to_vec());
    }
    std::fs::write(&files.certificate, "no certificate").unwrap();
    assert_eq!(shown(&server).await, second.cert.der().to_vec());
    write(&folder, &third);
    eventually("the third one is shown", async || shown(&server).await == third.cert.der().to_vec()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_safe_is_refused_before_anything_listens_with_exit_code_78() {
    let folder = tempfile::tempdir().unwrap();
    let files = write(&folder, &certificate());
    let readable = folder.path().join("readable.pem");
    write_key(&readable, &std::fs::read_to_string(&files.key).unwrap(), 0o644);
    let foreign = folder.path().join("foreign.pem");
    write_key(&foreign, &certificate().signing_key.serialize_pem(), 0o600);
    let (certificate, key) = (files.certificate.to_str().unwrap(), files.key.to_str().unwrap());
    let rows: [(&str, Variables<'_>, &str); 6] = [
        ("0.0.0.0:0", &[], "tls.certificate"),
        ("0.0.0.0:0", &[("TRUSTED_PROXIES", "['0.0.0.0/0']")], "everybody"),
        ("127.0.0.1:0", &[("TLS__CERTIFICATE", "/nowhere.pem"), ("TLS__KEY", key)], "/nowhere.pem"),
        (
            "127.0.0.1:0",
            &[("TLS__CERTIFICATE", certificate), ("TLS__KEY", readable.to_str().unwrap())],
            "chmod",
        ),
        (
            "127.0.0.1:0",
            &[("TLS__CERTIFICATE", certificate), ("TLS__KEY", foreign.to_str().unwrap())],
            "belong",
        ),
        ("127.0.0.1:0", &[("DATABASE_URL", "postgres://a:changeme@127.0.0.1:1/a")], "DATABASE_URL"),
    ];
    for (listen, variables, said) in rows {
        let mut serve = command("server");
        serve.args(["serve", "--listen", listen, "--data-dir"]).arg(folder.path().join("data"));
        for (name, value) in variables {
            let name = if *name == "DATABASE_URL" { (*name).to_owned() } else { format!("SERVER__{name}") };
            serve.env(name, value);
        }
        let refused = run(&mut serve).await;
        assert_eq!(refused.code, Some(78), "{listen} {variables:?}: {}", refused.err);
        assert!(refused.err.contains(said) && !refused.err.contains("changeme"), "{}", refused.err);
    }
    assert!(!folder.path().join("data").exists(), "nothing was begun");
}
