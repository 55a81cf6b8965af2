//! Channel profiles, through the program and the API; and the signals that follow-ups name by their authors' ids.

use reqwest::Method;
use server::audit::By;
use server::auth::Role;
use server::curation;
use server::store::signals::{Candidates, candidates};
use shared::post::{ChannelRef, Sighting, Source};
use shared::reading::ProfileDraft;
use shared::wire::{ChangeChannel, ChannelsPage, ProblemKind, SignalState, SignalsPage};
use sqlx::PgPool;
use support::posts::{START, batch, sighting, signal_text};
use support::program::{Ended, command, run};
use support::server::{Api, TestServer};
use time::Duration;
use uuid::Uuid;

pub(crate) async fn post(api: &Api, sightings: impl IntoIterator<Item = Sighting>) {
    api.post(&batch(sightings)).await;
}

pub(crate) async fn signals(api: &Api) -> Vec<SignalState> {
    let page: SignalsPage = api.get("/v1/signals?limit=500").await;
    page.signals
}

/// Only this author may call in the channel of the posts; nobody in particular when it is absent.
pub(crate) async fn set_caller(pool: &PgPool, caller: Option<&str>) {
    let callers = caller.into_iter().map(str::to_owned).collect();
    let profile = Some(ProfileDraft { callers, ..ProfileDraft::default() });
    let wish = ChangeChannel { profile, ..ChangeChannel::default() };
    let ids: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM channels").fetch_all(pool).await.unwrap();
    for id in ids {
        let by = By::host(launch::clock::now());
        assert!(curation::change(pool, (id, None), &wish, &by).await.unwrap().is_some());
    }
}

/// Runs `server` with these arguments on the database of the test.
pub(crate) async fn server_program(server: &TestServer, arguments: &[&str]) -> Ended {
    run(command("server").args(arguments).env("DATABASE_URL", server.scratch.url())).await
}

#[tokio::test]
async fn a_profile_counts_for_what_comes_and_its_stored_form_is_never_taken_for_empty() {
    let server = TestServer::start().await;
    let api = server.client(Role::Contributor).await;
    post(&api, [sighting(1, &signal_text("BTC"))]).await;
    set_caller(&server.pool, Some("8")).await;
    let mut called = sighting(3, &signal_text("ETH"));
    called.post.author.external_id = "8".into();
    post(&api, [sighting(2, &signal_text("SOL")), called]).await;
    let bases: Vec<String> =
        signals(&api).await.iter().map(|signal| signal.record.signal.base().to_string()).collect();
    assert_eq!(bases, ["ETH", "BTC"], "what was stored before stays as it was read");
    sqlx::query("UPDATE channels SET profile = '{\"colour\":1}'").execute(&server.pool).await.unwrap();
    let body = serde_json::to_vec(&batch([sighting(4, &signal_text("SOL"))])).unwrap();
    let problem = api.problem(Method::POST, "/v1/messages", Some(&body)).await;
    assert_eq!(problem.kind, ProblemKind::Internal);
    let mut long = sighting(5, "long");
    long.post.content = "gm ".repeat(10_000);
    long.raw = "x".repeat(60_000);
    let body = serde_json::to_vec(&batch([long])).unwrap();
    let problem = api.problem(Method::POST, "/v1/messages", Some(&body)).await;
    assert_eq!(problem.kind, ProblemKind::Internal, "also where it is read before the channel is in hand");
    let stored: i64 = sqlx::query_scalar("SELECT count(*) FROM posts").fetch_one(&server.pool).await.unwrap();
    assert_eq!(stored, 3);
}

#[tokio::test]
async fn a_host_sees_and_sets_a_profile_and_is_told_what_is_wrong_with_one() {
    let server = TestServer::start().await;
    let api = server.client(Role::Contributor).await;
    for id in ["501", "502"] {
        let namesake = ChannelRef { source: Source::Discord, external_id: id.into(), name: "swing".into() };
        let by = By::host(launch::clock::now());
        assert!(curation::propose(&server.pool, &namesake, None, &by).await.unwrap().is_new);
    }
    post(&api, [sighting(1, "hello")]).await;
    let profile = async |arguments: &[&str]| {
        server_program(&server, &[&["admin", "profile"], arguments].concat()).await
    };
    let empty = profile(&["vip-calls"]).await;
    assert_eq!(empty.code, Some(0), "{}", empty.err);
    assert!(
        empty.out.starts_with("# discord:500  vip-calls") && empty.out.contains("# empty"),
        "{}",
        empty.out
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("profile.toml");
    std::fs::write(&file, "quote = \"USDC\"\ncallers = [\"8\"]\n").unwrap();
    let file = file.to_str().unwrap();
    let set = profile(&["discord:500", "--set", file]).await;
    assert_eq!(set.code, Some(0), "{}", set.err);
    assert!(
        set.out.contains("quote = \"USDC\"") && set.out.contains("server reread --channel"),
        "{}",
        set.out
    );
    let page: ChannelsPage = api.get("/v1/channels").await;
    let id = page.channels.iter().find(|channel| channel.name == "vip-calls").unwrap().id.to_string();
    let shown = profile(&[&id]).await;
    assert!(shown.out.contains("callers = [\"8\"]"), "{}", shown.out);
    post(&api, [sighting(3, &signal_text("BTC"))]).await;
    assert!(signals(&api).await.is_empty(), "its author is not a caller");
    std::fs::write(file, "quote = \"USDC\"\ncolour = 1\n").unwrap();
    for (arguments, words) in [
        (vec!["vip-calls", "--set", file], "line 2: unknown field `colour`"),
        (vec!["vip-calls", "--set", "no-such-file"], "no-such-file"),
        (vec!["nobody"], "there is no channel `nobody`"),
        (vec!["swing"], "several channels are named `swing`"),
        (vec!["vip-calls", "--set", file, "--clear"], "cannot be used with"),
    ] {
        let ended = profile(&arguments).await;
        assert!(ended.code != Some(0) && ended.err.contains(words), "{arguments:?}: {}", ended.err);
    }
    let cleared = profile(&["vip-calls", "--clear"]).await;
    assert!(cleared.out.contains("# empty"), "{}", cleared.out);
    post(&api, [sighting(4, &signal_text("BTC"))]).await;
    assert_eq!(signals(&api).await.len(), 1);
}

#[tokio::test]
async fn a_host_is_warned_of_callers_who_have_never_posted_in_the_channel() {
    let server = TestServer::start().await;
    let api = server.client(Role::Contributor).await;
    let by = |id: u32, author: &str, channel: &str| {
        let mut one = sighting(id, "hello");
        one.post.author.external_id = author.into();
        one.post.channel.external_id = channel.into();
        one.post.channel.name = format!("channel-{channel}");
        one
    };
    for id in ["600", "601"] {
        server.open(id, &format!("channel-{id}")).await;
    }
    let many = (1..=9).map(|id| by(id, &format!("a{}", id.min(7)), "600"));
    post(&api, many.chain([by(20, "elsewhere", "601")])).await;
    let empty =
        server_program(&server, &["admin", "approve-channel", "--discord", "602", "--name", "new"]).await;
    assert_eq!(empty.code, Some(0), "{}", empty.err);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("profile.toml");
    for (channel, text, warning) in [
        ("600", "callers = [\"nobody\", \"elsewhere\"]", Some("authors who have: a7, a1, a2, a3, a4\n")),
        ("600", "callers = [\"nobody\", \"a6\"]", None),
        ("600", "quote = \"USDC\"", None),
        ("602", "callers = [\"a1\"]", Some("no post of it has come yet")),
    ] {
        std::fs::write(&file, text).unwrap();
        let channel = format!("discord:{channel}");
        let set =
            server_program(&server, &["admin", "profile", &channel, "--set", file.to_str().unwrap()]).await;
        assert!(set.code == Some(0) && set.out.contains(text), "{text}: {}{}", set.out, set.err);
        let warned = "none of the callers has ever posted in";
        assert_eq!(set.err.contains(warned), warning.is_some(), "{text}: {}", set.err);
        assert!(set.err.contains(warning.unwrap_or_default()), "{text}: {}", set.err);
    }
}

#[tokio::test]
async fn a_call_is_found_by_its_authors_id_however_many_calls_came_after_it() {
    let server = TestServer::start().await;
    let api = server.client(Role::Contributor).await;
    post(&api, (1..=60).map(|id| sighting(id, &signal_text("BTC")))).await;
    let naming = "UPDATE signals SET reference = '17' WHERE external_id IN ('3', '5')";
    sqlx::query(naming).execute(&server.pool).await.unwrap();
    let mut connection = server.pool.acquire().await.unwrap();
    let wish = Candidates {
        channel_id: signals(&api).await[0].record.channel_id,
        author_id: "7".into(),
        base: None,
        reference: Some("17".into()),
        until: START + Duration::minutes(60),
        since: START - Duration::days(30),
        only_open: false,
        most: 20,
    };
    let mut found = Vec::new();
    for wish in [
        wish.clone(),
        Candidates { base: Some("ETH".into()), ..wish.clone() },
        Candidates { until: START + Duration::minutes(4), ..wish.clone() },
        Candidates { author_id: "8".into(), ..wish.clone() },
        Candidates { reference: None, ..wish },
    ] {
        let (signals, broken) = candidates(&mut connection, &[wish]).await.unwrap();
        assert!(broken.is_empty());
        let mut ids: Vec<u32> = signals.iter().map(|one| one.record.external_id.parse().unwrap()).collect();
        ids.sort_unstable();
        found.push(ids);
    }
    assert_eq!(found[..4], [vec![3, 5], vec![], vec![3], vec![]]);
    assert_eq!(found[4], (41..=60).collect::<Vec<_>>(), "without an id, the newest ones");
}

#[test]
fn the_profile_in_the_hosts_guide_is_one() {
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/host.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let mut settings = guide.split("```toml\n").filter_map(|rest| rest.split("```").next());
    let example = settings.find(|settings| settings.starts_with("quote = ")).unwrap();
    let profile = server::profile::parse(example, "the guide").unwrap();
    let fields = profile.fields();
    assert!(fields.quote.is_some() && fields.market.is_some() && fields.thousands);
    assert!(!fields.keywords.is_empty() && profile.may_call("7"), "as it stands it silences nobody");
    let callers = server::profile::parse(&example.replace("# callers", "callers"), "the guide").unwrap();
    assert!(callers.may_call("1100000001") && !callers.may_call("7"));
}
