//! The fake Discord that readers of the guides try: what can be typed there, and what comes of it.

use support::discord::{CALLS, COMMANDS, FORUM, LOUNGE, obey};
use support::relay::{Relay, texts};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_happens_and_is_heard() {
    let relay = Relay::start().await;
    let mut contributor = relay.listen().await;
    let said = |line: &str| obey(&relay.discord, line).unwrap();
    let posted = said(r"post vip-calls BTC long\nSL 58000");
    let message = posted.rsplit(' ').next().unwrap().to_owned();
    said(&format!("edit {message} BTC short"));
    said(&format!("delete {message}"));
    said("thread ideas sol");
    said("post sol SOL long");
    said("publish ETH long");
    let wanted = ["BTC long\nSL 58000", "BTC short", "-", "SOL long", "ETH long"];
    assert_eq!(texts(&relay.until_kept(5).await), wanted);
    said("close vip-calls");
    contributor.said("was deleted, or closed to the bot").await;
    said("post vip-calls meanwhile");
    said("open vip-calls");
    assert_eq!(texts(&relay.until_kept(6).await)[5], "meanwhile");
    said("token another");
    assert_eq!(contributor.ended().await, Some(78));
    assert!(contributor.log().contains("Reset Token"), "{}", contributor.log());
}

#[tokio::test]
async fn what_cannot_be_done_says_why_and_changes_nothing() {
    let discord = support::discord::FakeDiscord::start().await;
    for (line, why) in [
        ("post nowhere hello", "there is no channel `nowhere`; there are: vip-calls"),
        ("post ideas hello", "only threads can be opened"),
        ("post vip-calls", "TEXT is missing"),
        ("edit 7 hello", "there is no message `7`"),
        ("delete it", "there is no message `it`"),
        ("intent maybe", "`intent off` or `intent on`"),
        ("sing", "there is no command `sing`"),
    ] {
        let problem = obey(&discord, line).unwrap_err();
        assert!(problem.contains(why), "{line}: {problem}");
    }
    assert!(discord.with(|world| world.channels.values().all(|channel| channel.messages.is_empty())));
    assert_eq!(obey(&discord, "help").unwrap(), COMMANDS);
    for (line, wanted) in [("hide lounge", true), ("show lounge", false)] {
        obey(&discord, line).unwrap();
        assert_eq!(discord.with(|world| world.channels[&LOUNGE].has_no_history), wanted);
    }
    obey(&discord, "intent off").unwrap();
    assert!(!discord.with(|world| world.has_content_intent));
    assert!(obey(&discord, "channels").unwrap().contains(&format!("{CALLS} vip-calls")), "{FORUM}");
}
