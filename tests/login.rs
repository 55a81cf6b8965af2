//! `contributor login` and `trader-client login`, as people use them on a machine without a keyring.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use server::auth::Role;
use support::people::{PASSWORD, Person};
use support::program::{Ended, command};
use support::server::TestServer;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// A program with a data folder of its own, on a machine without a keyring.
fn program(name: &str, folder: &Path) -> Command {
    let mut command = command(name);
    command.current_dir(folder).env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
    command.arg("--data-dir").arg(folder.join("data"));
    command
}

/// Runs a program to its end, with a line on its standard input.
async fn told(command: &mut Command, line: &str) -> Ended {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut input = child.stdin.take().expect("its input is piped");
    input.write_all(format!("{line}\n").as_bytes()).await.expect("it listens");
    drop(input);
    let output = tokio::time::timeout(support::PATIENCE, child.wait_with_output()).await;
    let output = output.expect("it ends in time").expect("its output can be read");
    Ended {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn text_of(folder: &Path) -> String {
    let path = folder.join("data/credential.toml");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    std::fs::read_to_string(path).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contributor_pastes_a_key_and_posts_with_it() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().unwrap();
    let contributor = || {
        let mut contributor = program("contributor", folder.path());
        contributor.arg("--server").arg(&server.url);
        contributor
    };
    let (good, other) = (server.key(Role::Contributor).await, server.key(Role::Member).await);
    for (line, words) in [
        ("", "nothing was entered"),
        ("cb_nonsense", "mistyped"),
        (other.as_str(), "lacks the scope messages:write"),
    ] {
        let refused = told(contributor().arg("login"), line).await;
        assert_eq!(refused.code, Some(78), "{}", refused.err);
        assert!(refused.err.contains(words), "{}", refused.err);
    }
    assert!(!folder.path().join("data/credential.toml").exists(), "a key that is not good is not kept");
    let done = told(contributor().arg("login"), &good).await;
    assert_eq!(done.code, Some(0), "{}", done.err);
    let words = "credential.toml, which only you may read, because this system has no keyring";
    assert!(done.out.contains(words) && done.out.contains("(contributor)"), "{}", done.out);
    assert!(!format!("{}{}", done.out, done.err).contains(&good), "the key is not shown");
    assert!(text_of(folder.path()).contains(&good));
    let export = support::path::write_one_post(folder.path());
    let sent = told(contributor().arg("import").arg(&export), "").await;
    assert_eq!(sent.code, Some(0), "{}", sent.err);
    let posts: i64 = sqlx::query_scalar("SELECT count(*) FROM posts").fetch_one(&server.pool).await.unwrap();
    assert_eq!(posts, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trader_signs_in_and_gets_a_key_that_goes_to_this_server_only() {
    let (server, other) = (TestServer::start().await, TestServer::start().await);
    let ana = Person::join(&server, Role::Member).await;
    let folder = tempfile::tempdir().unwrap();
    let story = support::path::write_story(folder.path());
    let trader = |url: &str| {
        let mut trader = program("trader-client", folder.path());
        trader.arg("--config").arg(&story.config).env("TRADER__SERVER", url);
        trader
    };
    let early = told(trader(&server.url).arg("channels"), "").await;
    assert!(early.code == Some(78) && early.err.contains("run `login`"), "{}", early.err);
    let refused = told(trader(&server.url).args(["login", "--name", &ana.name]), "a wrong password").await;
    assert!(refused.code == Some(78) && refused.err.contains("signing in at"), "{}", refused.err);
    let done = told(trader(&server.url).args(["login", "--name", &ana.name]), PASSWORD).await;
    assert_eq!(done.code, Some(0), "{}", done.err);
    assert!(done.out.contains(&format!("as {} (member)", ana.name)), "{}", done.out);
    assert!(!text_of(folder.path()).contains(PASSWORD), "the password is kept nowhere");
    assert_eq!(ana.key_ids().await.len(), 2, "a key of its own, which its owner can revoke");
    let sessions: i64 = sqlx::query_scalar("SELECT count(*) FROM sessions WHERE ended_by = 'signed_out'")
        .fetch_one(&server.pool)
        .await
        .unwrap();
    assert_eq!(sessions, 1, "the session was for this only");
    let listed = told(trader(&server.url).arg("channels"), "").await;
    assert_eq!(listed.code, Some(0), "{}", listed.err);
    let elsewhere = told(trader(&other.url).arg("channels"), "").await;
    assert!(elsewhere.code == Some(78) && elsewhere.err.contains("no API key"), "{}", elsewhere.err);
}
