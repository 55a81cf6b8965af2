//! Invariant 9: a full run of all programs at debug level with a recognisable secret of each kind, some of them used wrongly;
//! then none of them is in a log, an error answer, the database, or a client's files, but for the files made for them.

use std::fs::File;
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use shared::wire::PostMessages;
use sqlx::PgPool;
use support::discord::{CALLS, FakeDiscord, TOKEN};
use support::eventually;
use support::path::{write_one_post, write_story};
use support::postgres::Scratch;
use support::posts::{batch, sighting, signal_text};
use support::program::{Ended, ServerProgram, command, run};
use support::relay::Listening;
use tempfile::TempDir;
use tokio::process::Command;

const PASSWORD: &str = "kestrel-secret-password-31";
const NEW_PASSWORD: &str = "plover-secret-changed-47";
const DATABASE_PASSWORD: &str = "osprey-secret-database-58";
/// What somebody might have typed in the wrong place.
const WRONG_PASSWORD: &str = "curlew-secret-almost-right-62";
/// No secret: it must be found, or the search is of no use.
const NAME: &str = "finch-no-canary";

/// The secrets of a run, and everything that was seen of it.
struct Watch {
    secrets: Vec<(&'static str, Vec<u8>)>,
    seen: Vec<(String, Vec<u8>)>,
}

impl Watch {
    fn secret(&mut self, what: &'static str, text: &str) {
        // The beginnings of all access tokens are alike: what signs them is the secret.
        let secret = text.rsplit('.').next().filter(|_| what == "access token").unwrap_or(text);
        assert!(secret.len() >= 12, "{what} would be found by chance");
        self.secrets.push((what, secret.as_bytes().to_vec()));
    }

    fn saw(&mut self, place: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.seen.push((place.into(), bytes.into()));
    }

    fn ended(&mut self, place: &str, ended: &Ended) {
        self.saw(place, format!("{}\n{}", ended.out, ended.err));
    }

    /// Where each secret was seen.
    fn leaks(&self) -> Vec<String> {
        let mut leaks = Vec::new();
        for (what, secret) in &self.secrets {
            let forms = forms(secret);
            for (place, bytes) in &self.seen {
                if forms.iter().any(|form| holds(bytes, form)) {
                    leaks.push(format!("{what} in {place}"));
                }
            }
        }
        leaks
    }
}

/// The secret as it is, in hexadecimal, and in base64; of a long one, half of it is too much as well.
fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![secret.to_vec(), hex.into_bytes(), STANDARD_NO_PAD.encode(secret).into_bytes()];
    if secret.len() >= 24 {
        let (first, second) = secret.split_at(secret.len() / 2);
        forms.extend([first.to_vec(), second.to_vec()]);
    }
    forms
}

fn holds(bytes: &[u8], form: &[u8]) -> bool {
    bytes.windows(form.len()).any(|window| window == form)
}

/// A server program that logs everything, on a database with a password in its address.
struct Scene {
    watch: Watch,
    folder: TempDir,
    scratch: Scratch,
    server: ServerProgram,
}

impl Scene {
    async fn start() -> Self {
        let mut watch = Watch { secrets: Vec::new(), seen: Vec::new() };
        let (folder, scratch) = (tempfile::tempdir().unwrap(), Scratch::new().await);
        let log = File::create(folder.path().join("server.log")).unwrap();
        let mut serve = serve(&folder, &scratch);
        let server = ServerProgram::logging(serve.args(["serve", "--listen", "127.0.0.1:0"]), log).await;
        for (what, secret) in [
            ("password", PASSWORD),
            ("changed password", NEW_PASSWORD),
            ("database password", DATABASE_PASSWORD),
            ("wrong password", WRONG_PASSWORD),
            ("bot token", TOKEN),
        ] {
            watch.secret(what, secret);
        }
        let key = std::fs::read_to_string(folder.path().join("server/session.key")).unwrap();
        watch.secret("session key", key.trim());
        Self { watch, folder, scratch, server: server.expect("the server starts") }
    }

    /// Sends a request. What is answered to a wrong one is looked through in the end.
    async fn ask(&mut self, (method, path): (&str, &str), credential: &str, body: Option<String>) -> Value {
        let url = format!("{}{path}", self.server.url);
        let mut request = Client::new().request(Method::from_bytes(method.as_bytes()).unwrap(), url);
        request = request.header("x-request-id", NAME);
        if !credential.is_empty() {
            request = request.header("authorization", format!("Bearer {credential}"));
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status(), format!("{:?}", answer.headers()));
        let text = answer.text().await.unwrap();
        if !status.is_success() {
            self.watch.saw(format!("the answer {status} of {method} {path}"), format!("{headers}\n{text}"));
        }
        serde_json::from_str(&text).unwrap_or_default()
    }

    async fn make(&mut self, path: &str, credential: &str, body: Value) -> Value {
        let made = self.ask(("POST", path), credential, Some(body.to_string())).await;
        assert!(made.get("status").is_none_or(|status| !status.is_u64()), "{path}: {made}");
        made
    }

    /// Somebody joins by an invite of the host, signs in, and makes a key for a program of this role.
    async fn join(&mut self, role: &str, scopes: &[&str]) -> (String, String) {
        let name = format!("{NAME} {role}");
        let invited = run(serve(&self.folder, &self.scratch).args(["admin", "invite", "--role", role])).await;
        let invite = invited.out.trim().to_owned();
        self.watch.saw(format!("what inviting a {role} logs"), invited.err);
        self.watch.secret("invite", &invite);
        let register = json!({"invite": invite, "name": name, "password": PASSWORD});
        self.make("/v1/accounts", "", register).await;
        let tokens = self.sign_in(&name, PASSWORD).await;
        let access = tokens["access_token"].as_str().unwrap().to_owned();
        let key = self.make("/v1/api-keys", &access, json!({"name": "program", "scopes": scopes})).await;
        let key = key["key"].as_str().unwrap().to_owned();
        self.watch.secret("API key", &key);
        (name, key)
    }

    async fn sign_in(&mut self, name: &str, password: &str) -> Value {
        let tokens = self.make("/v1/sessions", "", json!({"name": name, "password": password})).await;
        self.watch.secret("access token", tokens["access_token"].as_str().unwrap());
        self.watch.secret("refresh token", tokens["refresh_token"].as_str().unwrap());
        tokens
    }

    /// A life of sessions: gone on with, used twice, signed in anew, the password changed, and changed wrongly.
    async fn sessions(&mut self, name: &str) {
        let first = self.sign_in(name, PASSWORD).await;
        let body = json!({"refresh_token": first["refresh_token"]});
        let next = self.make("/v1/sessions/refresh", "", body.clone()).await;
        self.watch.secret("refresh token", next["refresh_token"].as_str().unwrap());
        let third = json!({"refresh_token": next["refresh_token"]});
        self.make("/v1/sessions/refresh", "", third).await;
        self.ask(("POST", "/v1/sessions/refresh"), "", Some(body.to_string())).await;
        let again = self.sign_in(name, PASSWORD).await;
        let access = again["access_token"].as_str().unwrap().to_owned();
        for (current, new) in [(WRONG_PASSWORD, NEW_PASSWORD), (PASSWORD, PASSWORD), (PASSWORD, NEW_PASSWORD)]
        {
            let body = json!({"current_password": current, "new_password": new}).to_string();
            self.ask(("PUT", "/v1/me/password"), &access, Some(body)).await;
        }
        self.sign_in(name, NEW_PASSWORD).await;
        self.ask(("DELETE", "/v1/sessions/current"), &access, None).await;
        self.ask(("GET", "/v1/me"), &access, None).await;
    }

    /// Secrets where they do not belong.
    async fn mischief(&mut self, name: &str, key: &str) {
        let forged = format!("{}.{}", &key.replace('_', "."), key);
        let doubled = format!("{key}{key}");
        for credential in [forged.as_str(), &doubled, &key[..key.len() - 1], WRONG_PASSWORD] {
            self.ask(("GET", "/v1/me"), credential, None).await;
        }
        for path in [
            format!("/v1/feed?after=0&token={key}"),
            format!("/v1/signals?cursor={key}"),
            format!("/v1/signals/{key}"),
            format!("/v1/{key}"),
        ] {
            self.ask(("GET", &path), key, None).await;
        }
        for body in [
            json!({"name": name, "password": WRONG_PASSWORD}),
            json!({"name": name, "password": WRONG_PASSWORD, "otp": 1}),
            json!({"name": name, "password": [WRONG_PASSWORD]}),
            json!({"password": WRONG_PASSWORD}),
        ] {
            self.ask(("POST", "/v1/sessions"), "", Some(body.to_string())).await;
        }
        let cut = format!(r#"{{"name": "{name}", "password": "{WRONG_PASSWORD}"#);
        self.ask(("POST", "/v1/sessions"), "", Some(cut)).await;
        let used = json!({"invite": key, "name": name, "password": PASSWORD});
        self.ask(("POST", "/v1/accounts"), "", Some(used.to_string())).await;
        let broken: PostMessages = batch([sighting(1, &signal_text("BTC")), sighting(2, "a\0b")]);
        self.ask(("POST", "/v1/messages"), key, Some(serde_json::to_string(&broken).unwrap())).await;
    }

    /// A client with a folder of its own that logs everything.
    fn client(&self, name: &str) -> Command {
        let mut client = command(name);
        client.env("RUST_LOG", "debug").env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
        client.arg("--data-dir").arg(self.folder.path().join(name)).current_dir(self.folder.path());
        client
    }

    /// The contributor keeps a key, imports a file, and listens to Discord.
    async fn contribute(&mut self, key: &str) {
        let server = self.server.url.clone();
        let discord = FakeDiscord::start().await;
        let contributor = |scene: &Self| {
            let mut contributor = scene.client("contributor");
            contributor.env("CONTRIBUTOR__SERVER", &server).env("CONTRIBUTOR__DISCORD__TOKEN", TOKEN);
            contributor.env("CONTRIBUTOR__DISCORD__API", &discord.api);
            contributor.env("CONTRIBUTOR__DISCORD__CHANNELS", format!("[\"{CALLS}\"]"));
            contributor
        };
        let approve = ["admin", "approve-channel", "--discord", &CALLS.to_string(), "--name", "vip-calls"];
        let approved = run(serve(&self.folder, &self.scratch).args(approve)).await;
        assert_eq!(approved.code, Some(0), "{}", approved.err);
        self.watch.ended("server admin approve-channel", &approved);
        let export = write_one_post(self.folder.path());
        for line in [WRONG_PASSWORD, key] {
            let ended = told(contributor(self).arg("login"), line).await;
            self.watch.ended("contributor login", &ended);
        }
        for words in [vec!["config", "show"], vec!["import", export.to_str().unwrap()], vec!["status"]] {
            let ended = run(contributor(self).args(&words)).await;
            assert_eq!(ended.code, Some(0), "{words:?}: {}{}", ended.out, ended.err);
            self.watch.ended(&format!("contributor {}", words[0]), &ended);
        }
        let mut listening = Listening::start(contributor(self).arg("run"));
        listening.until_said("listening").await;
        discord.post(CALLS, &signal_text("ETH"));
        let pool = self.scratch.pool().await;
        eventually("both posts are kept", async || {
            sqlx::query_scalar::<_, i64>("SELECT count(*) FROM posts").fetch_one(&pool).await.unwrap() == 2
        })
        .await;
        pool.close().await;
        assert_eq!(listening.stop().await, Some(0), "{}", listening.log());
        self.watch.saw("the log of contributor run", listening.log());
    }

    /// The trader signs in, gets a key, and follows the feed.
    async fn trade(&mut self, name: &str) {
        let story = write_story(self.folder.path());
        let server = self.server.url.clone();
        let trader = |scene: &Self| {
            let mut trader = scene.client("trader-client");
            trader.env("TRADER__SERVER", &server).arg("--config").arg(&story.config);
            trader
        };
        for line in [WRONG_PASSWORD, PASSWORD] {
            let ended = told(trader(self).args(["login", "--name", name]), line).await;
            self.watch.ended("trader-client login", &ended);
        }
        let kept = std::fs::read_to_string(self.folder.path().join("trader-client/credential.toml")).unwrap();
        let key = kept.split('"').find(|text| text.starts_with("cb_")).expect("a key");
        self.watch.secret("the trader's API key", key);
        for words in [vec!["config", "show"], vec!["channels"], vec!["run", "--once"], vec!["signals"]] {
            let ended = run(trader(self).args(&words)).await;
            assert_eq!(ended.code, Some(0), "{words:?}: {}{}", ended.out, ended.err);
            self.watch.ended(&format!("trader-client {}", words[0]), &ended);
        }
    }

    /// Everything that is left of the run.
    async fn gather(&mut self) {
        let shown = run(serve(&self.folder, &self.scratch).args(["config", "show"])).await;
        self.watch.ended("server config show", &shown);
        self.server.kill().await;
        let pool = self.scratch.pool().await;
        for (table, rows) in dump(&pool).await {
            self.watch.saw(format!("the table {table}"), rows);
        }
        pool.close().await;
        for path in files(self.folder.path()) {
            if !["credential.toml", "session.key"].contains(&path.file_name().unwrap().to_str().unwrap()) {
                self.watch.saw(path.display().to_string(), std::fs::read(&path).unwrap());
            }
        }
    }
}

/// The server program, with all that it logs, on this database.
fn serve(folder: &TempDir, scratch: &Scratch) -> Command {
    let mut serve = command("server");
    let (plain, password) = ("://callboard@", format!("://callboard:{DATABASE_PASSWORD}@"));
    let url = scratch.url_of("callboard").replace(plain, &password);
    assert!(url.contains(DATABASE_PASSWORD), "{url}");
    serve.env("DATABASE_URL", url).env("RUST_LOG", "debug");
    serve.arg("--data-dir").arg(folder.path().join("server"));
    serve
}

/// Runs a program to its end, with a line on its standard input.
async fn told(command: &mut Command, line: &str) -> Ended {
    let mut input = tempfile::tempfile().unwrap();
    writeln!(input, "{line}").unwrap();
    input.rewind().unwrap();
    run(command.stdin(Stdio::from(input))).await
}

/// Every table as text.
async fn dump(pool: &PgPool) -> Vec<(String, String)> {
    let names = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1";
    let names: Vec<String> = sqlx::query_scalar(names).fetch_all(pool).await.unwrap();
    let mut tables = Vec::new();
    for name in names {
        let rows = format!("SELECT coalesce(string_agg(t::text, E'\\n'), '') FROM {name} t");
        let rows: String = sqlx::query_scalar(sqlx::AssertSqlSafe(rows)).fetch_one(pool).await.unwrap();
        tables.push((name, rows));
    }
    tables
}

/// Every file in this folder and below.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_9_no_secret_of_a_full_run_is_found_where_it_does_not_belong() {
    let mut scene = Scene::start().await;
    let (name, key) = scene.join("contributor", &["messages:write", "feed:read"]).await;
    let (trader, _) = scene.join("member", &["feed:read"]).await;
    let (admin, _) = scene.join("admin", &["admin", "feed:read"]).await;
    let admin = scene.sign_in(&admin, PASSWORD).await;
    let access = admin["access_token"].as_str().unwrap().to_owned();
    let invite = scene.make("/v1/invites", &access, json!({"role": "member"})).await;
    scene.watch.secret("an admin's invite", invite["invite"].as_str().unwrap());
    scene.contribute(&key).await;
    scene.trade(&trader).await;
    scene.sessions(&name).await;
    scene.mischief(&name, &key).await;
    scene.gather().await;
    let watch = &scene.watch;
    for (place, sign) in [("server.log", NAME), ("the table accounts", NAME), ("journal.sqlite", "vip-calls")]
    {
        let (_, bytes) = watch.seen.iter().find(|(seen, _)| seen.ends_with(place)).expect(place);
        assert!(holds(bytes, sign.as_bytes()), "{sign} should be in {place}: the search finds nothing");
    }
    assert!(
        watch.secrets.len() >= 18 && watch.seen.len() >= 50,
        "{} {}",
        watch.secrets.len(),
        watch.seen.len()
    );
    let leaks = watch.leaks();
    assert!(leaks.is_empty(), "{leaks:#?}");
}
