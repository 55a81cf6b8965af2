//! The real `server` program and its private cluster, when things are taken away from it.

use std::path::Path;

use reqwest::Method;

use server::auth::Role;
use shared::wire::{ChannelsPage, ProblemBody, ProblemKind};
use support::eventually;
use support::feed::Subscription;
use support::posts::{batch, sighting, signal_text};
use support::program::{ServerProgram, command, path, run};
use support::server::{Api, TestServer};
use tempfile::TempDir;

/// A folder that PostgreSQL's own user can reach, too.
fn folder() -> TempDir {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::Builder::new().prefix("callboard-").tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

async fn serve(folder: &Path) -> ServerProgram {
    let mut serve = command("server");
    serve.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(folder);
    ServerProgram::start(&mut serve).await.expect("the server starts")
}

async fn api(server: &ServerProgram, folder: &Path, role: &str) -> Api {
    let mut create = command("server");
    create.args(["admin", "create-key", "--name", role, "--role", role, "--data-dir"]).arg(folder);
    let created = run(&mut create).await;
    assert_eq!(created.code, Some(0), "{}", created.err);
    if role == "contributor" {
        let mut approve = command("server");
        approve.args([
            "admin",
            "approve-channel",
            "--discord",
            "500",
            "--name",
            "vip-calls",
            "--contributor",
            role,
        ]);
        let approved = run(approve.arg("--data-dir").arg(folder)).await;
        assert_eq!(approved.code, Some(0), "{}", approved.err);
    }
    Api::new(&server.url, created.out.trim())
}

fn postmaster(folder: &Path) -> Option<String> {
    let file = std::fs::read_to_string(folder.join("postgres/postmaster.pid")).ok()?;
    file.lines().next().map(str::to_owned)
}

async fn kill_9(pid: &str) {
    let killed = tokio::process::Command::new("kill").args(["-9", pid]).status().await.unwrap();
    assert!(killed.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_3_what_was_acknowledged_survives_kill_9_of_postgres_and_of_the_server() {
    let folder = folder();
    let mut server = serve(folder.path()).await;
    let contributor = api(&server, folder.path(), "contributor").await;
    let mut subscription = Subscription::open(&contributor, 0, "").await.unwrap();
    contributor.post(&batch([sighting(1, &signal_text("BTC"))])).await;
    kill_9(&postmaster(folder.path()).unwrap()).await;
    eventually("the server is ready again", async || {
        contributor.send(Method::GET, "/readyz", None).await.status() == 200
    })
    .await;
    // A connection of the pool may still find the old cluster gone: then the answer is to try again.
    let second = serde_json::to_vec(&batch([sighting(2, &signal_text("ETH"))])).unwrap();
    eventually("the next post is accepted", async || {
        contributor.send(Method::POST, "/v1/messages", Some(second.clone())).await.status() == 200
    })
    .await;
    assert_eq!(subscription.events(2).await, [1, 2], "the feed recovers, and its subscribers with it");
    server.kill().await;
    let server = serve(folder.path()).await;
    let contributor = Api::new(&server.url, &contributor.key);
    let page: ChannelsPage = contributor.get("/v1/channels").await;
    assert_eq!(page.channels[0].posts.revisions, 2);
    let mut subscription = Subscription::open(&contributor, 0, "").await.unwrap();
    assert_eq!(subscription.events(2).await, [1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_away_requests_get_503_with_retry_after_and_then_all_goes_on() {
    let server = TestServer::start().await;
    let contributor = server.client(Role::Contributor).await;
    let mut subscription = Subscription::open(&contributor, 0, "").await.unwrap();
    let body = serde_json::to_vec(&batch([sighting(1, &signal_text("BTC"))])).unwrap();
    server.scratch.shut(true).await;
    for (method, path, body) in
        [(Method::POST, "/v1/messages", Some(&body)), (Method::GET, "/v1/signals", None)]
    {
        let refused = contributor.send(method, path, body.cloned()).await;
        assert_eq!(refused.status(), 503, "{path}");
        assert_eq!(refused.headers()["retry-after"], "1", "{path}");
        let problem: ProblemBody = refused.json().await.unwrap();
        assert_eq!(problem.kind, ProblemKind::Unavailable);
    }
    assert_eq!(contributor.send(Method::GET, "/healthz", None).await.status(), 200);
    server.scratch.shut(false).await;
    eventually("the same post is accepted", async || {
        contributor.send(Method::POST, "/v1/messages", Some(body.clone())).await.status() == 200
    })
    .await;
    assert_eq!(subscription.events(1).await, [1], "the subscription outlived the outage");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cluster_ends_with_the_server_however_that_ends() {
    let folder = folder();
    let mut server = serve(folder.path()).await;
    let pid = postmaster(folder.path()).unwrap();
    server.kill().await;
    let alive = || Path::new("/proc").join(&pid).exists();
    eventually("PostgreSQL has ended", async || !alive()).await;
    let again = serve(folder.path()).await;
    assert_ne!(postmaster(folder.path()).unwrap(), pid);
    drop(again);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_on_the_folder_is_refused_and_the_first_is_not_disturbed() {
    let folder = folder();
    let mut server = serve(folder.path()).await;
    let mut second = command("server");
    second.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(folder.path());
    let refused = run(&mut second).await;
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("is in use by another server"), "{}", refused.err);
    assert!(server.is_running());
    let member = api(&server, folder.path(), "member").await;
    assert_eq!(member.send(Method::GET, "/v1/channels", None).await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_folder_of_another_major_version_is_refused_with_what_to_do() {
    let folder = folder();
    std::fs::create_dir(folder.path().join("postgres")).unwrap();
    std::fs::write(folder.path().join("postgres/PG_VERSION"), "9\n").unwrap();
    let mut serve = command("server");
    serve.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(folder.path());
    let refused = run(&mut serve).await;
    assert_eq!(refused.code, Some(1));
    for words in ["PostgreSQL 9", "install PostgreSQL 9", "pg_dump"] {
        assert!(refused.err.contains(words), "{words} is not in {}", refused.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_first_start_leaves_nothing_that_stands_in_the_way() {
    let folder = folder();
    std::fs::create_dir(folder.path().join("postgres.unfinished")).unwrap();
    std::fs::write(folder.path().join("postgres.unfinished/PG_VERSION"), "15\n").unwrap();
    let mut server = serve(folder.path()).await;
    assert!(server.is_running());
    assert!(!folder.path().join("postgres.unfinished").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pid_file_of_an_unclean_stop_is_no_obstacle_whoever_has_that_number_now() {
    let folder = folder();
    let mut server = serve(folder.path()).await;
    let file = folder.path().join("postgres/postmaster.pid");
    let text = std::fs::read_to_string(&file).unwrap();
    let (pid, rest) = text.split_once('\n').unwrap();
    server.kill().await;
    eventually("PostgreSQL has ended", async || !Path::new("/proc").join(pid).exists()).await;
    // Our own number: a process that lives, and is no PostgreSQL of this folder.
    std::fs::write(&file, format!("{}\n{rest}", std::process::id())).unwrap();
    let mut server = serve(folder.path()).await;
    assert!(server.is_running());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_starts_whatever_the_umask_is_and_keys_can_be_made_while_it_does() {
    let folder = folder();
    let data = folder.path().join("deep/er");
    let shell = format!(
        "umask 077; exec {} serve --listen 127.0.0.1:0 --data-dir {}",
        path("server").display(),
        data.display()
    );
    let mut serve = tokio::process::Command::new("sh");
    serve
        .args(["-c", &shell])
        .env_remove("DATABASE_URL")
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true);
    let mut create = command("server");
    create.args(["admin", "create-key", "--name", "early", "--role", "member", "--data-dir"]).arg(&data);
    let (server, created) = tokio::join!(ServerProgram::start(&mut serve), run(&mut create));
    let mut server = server.expect("the server starts");
    assert_eq!(created.code, Some(0), "{}", created.err);
    let early = Api::new(&server.url, created.out.trim());
    assert_eq!(early.send(Method::GET, "/v1/channels", None).await.status(), 200);
    assert!(server.is_running());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_works_on_what_is_there_makes_no_new_database_where_there_is_none() {
    let folder = folder();
    let (missing, empty) = (folder.path().join("missing"), folder.path().join("empty"));
    std::fs::create_dir(&empty).unwrap();
    // As a server leaves it whose first start was broken off.
    let begun = folder.path().join("begun");
    std::fs::create_dir(&begun).unwrap();
    std::fs::write(begun.join("server.lock"), "").unwrap();
    for arguments in [
        &["reread"][..],
        &["admin", "profile", "vip-calls"],
        &["admin", "approve-channel", "--discord", "500", "--name", "vip-calls"],
    ] {
        for data in [&missing, &empty, &begun] {
            let refused = run(command("server").args(arguments).arg("--data-dir").arg(data)).await;
            let words = format!("there is no database in {}: ", data.display());
            assert!(
                refused.code == Some(1) && refused.err.contains(&words),
                "{arguments:?}: {}",
                refused.err
            );
            assert!(!data.join("postgres").exists(), "{arguments:?}");
        }
    }
    assert!(!missing.exists() && std::fs::read_dir(&empty).unwrap().next().is_none());
    let made = run(command("server").arg("migrate").arg("--data-dir").arg(&empty)).await;
    assert_eq!(made.code, Some(0), "{}", made.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_that_a_new_profile_suggests_works_on_the_same_database() {
    let folder = folder();
    let data = folder.path().join("its data");
    let config = folder.path().join("server.toml");
    std::fs::write(&config, "listen = \"127.0.0.1:0\"\n").unwrap();
    let made = run(command("server").arg("migrate").arg("--data-dir").arg(&data)).await;
    assert_eq!(made.code, Some(0), "{}", made.err);
    let server = async |arguments: &[&str]| {
        let mut program = command("server");
        run(program.args(arguments).arg("--data-dir").arg(&data).arg("--config").arg(&config)).await
    };
    let approved = server(&["admin", "approve-channel", "--discord", "500", "--name", "vip-calls"]).await;
    assert_eq!(approved.code, Some(0), "{}", approved.err);
    let profile = folder.path().join("profile.toml");
    std::fs::write(&profile, "quote = \"USDC\"\n").unwrap();
    let set = server(&["admin", "profile", "vip-calls", "--set", profile.to_str().unwrap()]).await;
    assert_eq!(set.code, Some(0), "{}", set.err);
    let hint = set.out.lines().find_map(|line| line.strip_prefix("#   server ")).unwrap();
    let mut shell = tokio::process::Command::new("sh");
    shell.args(["-c", &format!("exec {} {hint}", path("server").display())]).env_remove("DATABASE_URL");
    let again = run(&mut shell).await;
    assert!(again.code == Some(0) && again.out.contains("no message was posted"), "{hint}: {}", again.err);
    for flag in ["--data-dir", "--config"] {
        assert!(hint.contains(flag), "{hint}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_request_does_not_keep_the_server_from_stopping() {
    use tokio::io::AsyncWriteExt;
    let server = TestServer::start().await;
    let mut half = tokio::net::TcpStream::connect(server.url.trim_start_matches("http://")).await.unwrap();
    half.write_all(b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{").await.unwrap();
    let stopped = tokio::time::timeout(support::PATIENCE, server.stop()).await;
    assert!(stopped.is_ok(), "the server waits for ever");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_setting_is_named_with_its_line_and_its_neighbour() {
    let folder = folder();
    let config = folder.path().join("server.toml");
    std::fs::write(&config, "# settings\nlisten = \"127.0.0.1:0\"\ndata_dri = \"/tmp\"\n").unwrap();
    let refused = run(command("server").arg("config").arg("show").arg("--config").arg(&config)).await;
    assert_eq!(refused.code, Some(78));
    assert!(
        refused
            .err
            .contains("server.toml, line 3: unknown key `data_dri`; the nearest known key is `data_dir`"),
        "{}",
        refused.err
    );
    let exposed = run(command("server").args(["serve", "--listen", "0.0.0.0:0"])).await;
    let told = exposed.err.contains("in the clear") && exposed.err.contains("listen on 127.0.0.1");
    assert!(exposed.code == Some(78) && told, "{}", exposed.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hosted_database_must_be_migrated_first_and_secrets_are_never_shown() {
    let scratch = support::postgres::Scratch::new().await;
    let shown = run(command("server").args(["config", "show"]).env("DATABASE_URL", scratch.url())).await;
    assert!(shown.out.contains("[redacted]") && !shown.out.contains("socket"), "{}", shown.out);
    let pool = scratch.pool().await;
    sqlx::query("DELETE FROM _sqlx_migrations").execute(&pool).await.unwrap();
    pool.close().await;
    let refused =
        run(command("server").args(["serve", "--listen", "127.0.0.1:0"]).env("DATABASE_URL", scratch.url()))
            .await;
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("run `server migrate` first"), "{}", refused.err);
}
