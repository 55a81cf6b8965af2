//! A language is one data file: a tiny made-up one is loaded and read without a line of Rust.

use shared::reading::{ChannelProfile, Field, Part, ProfileDraft, Reader, Verdict, read};

use crate::posts;

const MADE_UP: &str = r#"
decimal_comma = true

[words]
long = ["uplo"]
entry = ["startu", "startu zona"]
target = ["golo"]
stop = ["haltu"]
move = ["shovu"]
break_even = ["nulo"]

[coins]
BTC = ["bitmono"]
"#;

const CALL: &str = "Bitmono uplo\nStartu zona: 64.250,5 - 64.400,5\nGolo 66.100,5 / 67.900,5\nHaltu 62.900,5";

#[test]
fn a_language_is_added_by_one_data_file() {
    let reader = Reader::with_language("made-up.toml", MADE_UP).unwrap();
    let reading = reader.read(&posts::post(CALL), &ChannelProfile::default());
    let [signal] = reading.verdict.signals() else { panic!("{reading:?}") };
    let text = serde_json::to_value(signal).unwrap();
    assert_eq!((&text["instrument"]["base"], &text["side"]), (&"BTC".into(), &"long".into()));
    assert_eq!(text["entry"], serde_json::json!({"type": "zone", "low": "64250.5", "high": "64400.5"}));
    assert_eq!(text["stop"]["price"], "62900.5");
    assert_eq!(text["targets"][1]["at"]["price"], "67900.5");
    let update = reader.read(&posts::post("BTC haltu shovu nulo"), &ChannelProfile::default());
    assert_eq!(update.verdict.kind(), "update", "{update:?}");
    let unknown = read(&posts::post(CALL), &ChannelProfile::default());
    assert!(unknown.verdict.signals().is_empty(), "without the file nobody knows these words: {unknown:?}");
}

/// One call in each language, with its own words for everything: entry 142.5, stop 136.2, targets 148 and 155, long SOL.
const CALLS: &[(&str, &str)] = &[
    ("arabic", "شراء SOL\nدخول: 142.5\nوقف الخسارة: 136.2\nالأهداف: 148 - 155"),
    ("chinese", "SOL 做多\n入场：142.5\n止损：136.2\n目标一：148\n目标二：155"),
    ("dutch", "SOL kopen\nInstap: 142,5\nStop: 136,2\nDoelen: 148 / 155"),
    ("english", "SOL long\nEntry: 142.5\nStop: 136.2\nTargets: 148 / 155"),
    ("french", "Achat SOL\nEntrée : 142,5\nStop : 136,2\nObjectifs : 148 / 155"),
    ("german", "SOL kaufen\nEinstieg: 142,5\nStopp: 136,2\nZiele: 148 / 155"),
    ("indonesian", "Beli SOL\nMasuk: 142.5\nStop: 136.2\nTarget: 148 / 155"),
    ("italian", "SOL acquisto\nIngresso: 142,5\nStop: 136,2\nObiettivi: 148 / 155"),
    ("japanese", "SOL ロング\nエントリー：142.5\n損切り：136.2\n利確：148、155"),
    ("korean", "SOL 롱\n진입: 142.5\n손절: 136.2\n목표: 148 / 155"),
    ("persian", "خرید SOL\nورود: 142.5\nحد ضرر: 136.2\nاهداف: 148 - 155"),
    ("polish", "SOL kupno\nWejście: 142,5\nStop: 136,2\nCele: 148 / 155"),
    ("portuguese", "Compra SOL\nEntrada: 142,5\nStop: 136,2\nAlvos: 148 / 155"),
    ("russian", "SOL лонг\nВход: 142,5\nСтоп: 136,2\nЦели: 148 / 155"),
    ("spanish", "Compra SOL\nEntrada: 142,5\nStop: 136,2\nObjetivos: 148 / 155"),
    ("turkish", "SOL alım\nGiriş: 142,5\nStop: 136,2\nHedefler: 148 / 155"),
    ("ukrainian", "SOL лонг\nВхід: 142,5\nСтоп: 136,2\nЦілі: 148 / 155"),
    ("vietnamese", "Mua SOL\nVào lệnh: 142.5\nCắt lỗ: 136.2\nChốt lời: 148 / 155"),
];

#[test]
fn every_language_file_reads_a_simple_call_of_its_own() {
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/languages")).unwrap();
    let names = folder.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<String> =
        names.filter_map(|name| name.strip_suffix(".toml").map(str::to_owned)).collect();
    files.sort();
    assert_eq!(files, CALLS.iter().map(|(language, _)| *language).collect::<Vec<_>>());
    for (language, call) in CALLS {
        let reading = read(&posts::post(call), &ChannelProfile::default());
        let [signal] = reading.verdict.signals() else { panic!("{language}: {reading:?}") };
        let text = serde_json::to_value(signal).unwrap();
        let targets: Vec<&serde_json::Value> =
            text["targets"].as_array().unwrap().iter().map(|target| &target["at"]["price"]).collect();
        let read =
            (&text["instrument"]["base"], &text["side"], &text["entry"]["price"], &text["stop"]["price"]);
        assert_eq!(read, (&"SOL".into(), &"long".into(), &"142.5".into(), &"136.2".into()), "{language}");
        assert_eq!(targets, [&serde_json::Value::from("148"), &"155".into()], "{language}");
    }
}

#[test]
fn a_small_word_counts_only_in_a_text_of_its_language() {
    let small = "[words]\nside = [\"direktu\"]\n[small_words]\nlong = [\"or\"]\nshort = [\"den\"]";
    let reader = Reader::with_language("made-up.toml", small).unwrap();
    let side = |text: &str| {
        let reading = reader.read(&posts::post(text), &ChannelProfile::default());
        reading.verdict.signals().first().map(|signal| signal.fields().side.to_string())
    };
    assert_eq!(side("Direktu: or\nBTC entry 64250\nstop 62900\ntarget 66100").as_deref(), Some("long"));
    assert_eq!(side("BTC short or wait\nentry 64250\nstop 65900\ntarget 62100"), None);
    assert_eq!(side("long den BTC\nentry 64250\nstop 62900\ntarget 66100").as_deref(), Some("long"));
}

#[test]
fn a_stem_stands_for_all_its_endings() {
    let inflected = "[words]\nentry = [\"startu*\"]\nstop = [\"haltu* perdo*\"]";
    let reader = Reader::with_language("made-up.toml", inflected).unwrap();
    let post = posts::post("BTC long\nstartuoj: 64250\nhaltun perdojn: 62900\ntarget 66100");
    assert_eq!(reader.read(&post, &ChannelProfile::default()).verdict.signals().len(), 1);
    let error = Reader::with_language("made-up.toml", "[words]\nentry = [\"en*\"]").unwrap_err().to_string();
    assert!(error.contains("its `*` comes too early"), "{error}");
}

#[test]
fn a_channel_brings_its_own_words_and_callers() {
    let post = posts::post("BTC long\nentry 64250 - 64400\nfloor 62900\nmoonshot 66100, 67900");
    assert!(read(&post, &ChannelProfile::default()).verdict.signals().is_empty());
    let keywords = [("stop".into(), vec!["floor".into()]), ("target".into(), vec!["moonshot".into()])];
    let draft = ProfileDraft { keywords: keywords.into(), ..ProfileDraft::default() };
    let profile = ChannelProfile::new(draft.clone()).unwrap();
    let reading = read(&post, &profile);
    let [signal] = reading.verdict.signals() else { panic!("{reading:?}") };
    assert_eq!((signal.fields().targets.len(), signal.fields().stop.is_some()), (2, true));
    let strangers = ProfileDraft { callers: vec!["somebody else".into()], ..draft };
    let verdict = read(&post, &ChannelProfile::new(strangers).unwrap()).verdict;
    assert_eq!(verdict, Verdict::Noise { reason: "its author is not one of the channel's callers".into() });
    let bad =
        ProfileDraft { keywords: [("flor".into(), vec!["x".into()])].into(), ..ProfileDraft::default() };
    let error = ChannelProfile::new(bad).unwrap_err().to_string();
    assert!(error.starts_with("keywords: `flor` is no meaning; known are "), "{error}");
    for (meaning, phrase) in
        [("long", "Short"), ("target", "stop-loss"), ("filler", "don't"), ("stop", "止盈")]
    {
        let keywords = [(meaning.to_owned(), vec![phrase.to_owned()])].into();
        let error = ChannelProfile::new(ProfileDraft { keywords, ..ProfileDraft::default() }).unwrap_err();
        assert!(error.to_string().contains("means something else already"), "{error}");
    }
}

#[test]
fn every_field_names_the_stretch_that_it_came_from() {
    let post = posts::post(
        "**LONG** $ROSE | Bybit 🚀\nentry ~~0.0900~~ 0.0948\nsl: `0.0915` (8x isolated)\ntp 0.0984 - 60%",
    );
    let reading = read(&post, &ChannelProfile::default());
    assert_eq!(reading.verdict.signals().len(), 1, "{reading:?}");
    let stretches: Vec<(Field, &str)> =
        reading.evidence.iter().map(|e| (e.field, e.text(&post).unwrap())).collect();
    assert_eq!(
        stretches,
        [
            (Field::Side, "LONG"),
            (Field::Symbol, "$ROSE"),
            (Field::Venue, "Bybit"),
            (Field::Entry, "0.0948"),
            (Field::Stop, "0.0915"),
            (Field::Leverage, "8x"),
            (Field::MarginMode, "isolated"),
            (Field::Target, "0.0984"),
            (Field::Target, "60%"),
        ]
    );
    assert!(reading.evidence.iter().all(|e| e.part == Part::Content && e.of == 0));
}
