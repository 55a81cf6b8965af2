//! The straight path through the three real programs: a post becomes a filled paper order, and the demo's account adds up.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;
use shared::wire::{ChannelsPage, PostRecord, SignalDetail, SignalsPage};
use support::path::{Stage, write_one_post, write_story};
use support::program::{path, run};
use support::server::Api;

fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("demo")
}

/// Runs the import and the trader on a stage with a server; returns the trader's account.
async fn relay_and_trade(stage: &Stage, exports: &[PathBuf], config: &Path) -> Value {
    let imported =
        run(stage.contributor().args(["import", "--infer-deletes", "--replay", "1e12"]).args(exports)).await;
    assert_eq!(imported.code, Some(0), "{}{}", imported.out, imported.err);
    let traded = run(stage.trader(config).args(["run", "--once", "--json"])).await;
    assert_eq!(traded.code, Some(0), "{}{}", traded.out, traded.err);
    serde_json::from_str(&traded.out).expect("an account as JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn message_to_fill() {
    let stage = Stage::start().await;
    let _server = stage.serve(None).await.expect("the server starts");
    let story = write_story(stage.folder.path());
    let one_post = write_one_post(stage.folder.path());
    let account = relay_and_trade(&stage, &[one_post], &story.config).await;
    assert_eq!(account["signals"]["traded"], 1, "{account:#}");
    let trade = &account["trades"][0];
    assert_eq!((&trade["pair"], &trade["side"]), (&"SOLUSDT".into(), &"long".into()));
    assert_eq!(trade["entered"], "12.5", "0.5 % of 10,000 at a stop 4 away");
    assert_eq!(trade["state"], "closed", "the first target was reached, then the stop at break-even");
    let api = Api::new(&stage.url, &stage.member_key);
    let id = trade["signal_id"].as_str().expect("an id");
    let detail: SignalDetail = api.get(&format!("/v1/signals/{id}")).await;
    assert!(detail.state.record.external_id.len() > 15, "a snowflake");
    let [PostRecord { post, .. }] = detail.posts.as_slice() else { panic!("{detail:?}") };
    assert_eq!(post.content, "#SOL/USDT LONG\nEntry: 100\nTP1: 104\nTP2: 108\nSL: 96");
    let shown = run(stage.trader(&story.config).arg("signals")).await;
    assert!(shown.out.contains("opened 12.5 @ 98.8"), "{}", shown.out);
}

/// What the demo's README promises of each revision: external id and revision → kind.
fn expected() -> BTreeMap<(String, String), String> {
    let table = std::fs::read_to_string(demo().join("expected.tsv")).unwrap();
    let rows = table.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>());
    rows.map(|row| ((row[0].to_owned(), row[1].to_owned()), row[3].to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demos_account_adds_up_and_every_trade_traces_to_a_post() {
    let stage = Stage::start().await;
    let _server = stage.serve(None).await.expect("the server starts");
    let exports = ["vip-calls-1.json", "vip-calls-2.json", "swing-desk.json"]
        .map(|file| demo().join("exports").join(file));
    let account = relay_and_trade(&stage, &exports, &demo().join("trader.toml")).await;
    let api = Api::new(&stage.url, &stage.member_key);

    let channels: ChannelsPage = api.get("/v1/channels").await;
    let (mut total, mut deletes) = (0, 0);
    for posts in channels.channels.iter().map(|channel| channel.posts) {
        assert_eq!(posts.revisions, posts.signals + posts.updates + posts.noise + posts.abstained);
        total += posts.revisions;
        deletes += posts.deletes;
    }
    let promised = expected();
    let texts = promised.keys().filter(|(_, revision)| revision != "deleted").count();
    assert_eq!((usize::try_from(total).unwrap(), deletes), (texts, 1), "every revision was kept and read");

    let signals: SignalsPage = api.get("/v1/signals?limit=500").await;
    let known: BTreeSet<String> = signals.signals.iter().map(|signal| signal.record.id.to_string()).collect();
    for signal in &signals.signals {
        let record = &signal.record;
        let revision = if record.occurred_at == record.posted_at { "original" } else { "edited" };
        let kind = promised.get(&(record.external_id.clone(), revision.into())).map(String::as_str);
        assert_eq!(kind, Some("signal"), "{} is no signal", record.external_id);
    }
    let counts = &account["signals"];
    let number = |value: &Value| value.as_u64().expect("a number");
    assert_eq!(number(&counts["seen"]), number(&counts["traded"]) + number(&counts["refused"]));
    assert_eq!(number(&counts["seen"]), u64::try_from(known.len()).unwrap(), "every signal was decided on");
    let reasons = counts["refused_by_reason"].as_object().expect("reasons");
    assert_eq!(reasons.values().map(number).sum::<u64>(), number(&counts["refused"]));
    for reason in ["too_old", "no_stop", "not_listed", "symbol_not_allowed", "daily_loss"] {
        assert!(reasons.contains_key(reason), "the demo should show a refusal for {reason}: {reasons:?}");
    }
    let trades = account["trades"].as_array().expect("trades");
    assert!(trades.len() >= 15, "{} trades", trades.len());
    for trade in trades {
        assert!(known.contains(trade["signal_id"].as_str().expect("an id")), "{trade} has no signal");
    }
    let states: BTreeSet<&str> = trades.iter().filter_map(|trade| trade["state"].as_str()).collect();
    assert!(states.contains("closed") && states.contains("unfilled"), "{states:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demos_script_runs_to_its_end_and_cleans_up() {
    let temporary = tempfile::Builder::new().prefix("callboard-").tempdir().unwrap();
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(temporary.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let programs = path("server").parent().unwrap().to_owned();
    let mut script = tokio::process::Command::new(demo().join("run.sh"));
    script.env("ONCE", "1").env("SPEED", "1e9").env("BIN", programs).env("TMPDIR", temporary.path());
    let ended = run(&mut script).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    for words in [
        "refused: too_old",
        "never filled",
        "revisions = signals + updates + noise + abstained",
        "The API has answered at",
    ] {
        assert!(ended.out.contains(words), "{words:?} is not in {}", ended.out);
    }
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0, "nothing is left behind");
}
