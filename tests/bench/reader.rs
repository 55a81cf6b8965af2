//! The reader alone, on one core: posts of the labelled corpus, and hostile texts of 128 KiB, the most that is read.
//!
//! Entry point: [`measure`]. `CORPUS=` names another file of posts, in the form of the batch contract. The peer is decoding the
//! same posts from JSON, which every system that receives them does.

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, ensure};
use shared::batch::{post_of_line, post_of_text};
use shared::post::Post;
use shared::reading::{ChannelProfile, read};

use crate::figures::{Figures, median};

/// How often the corpus is read in one round: half a second, enough for a stable median.
const PASSES: usize = 60;
/// The length of a hostile text.
const HOSTILE_BYTES: usize = 128 * 1024;

/// Texts that punish a reader which looks at anything twice: each is repeated to that length.
const HOSTILE: &[&str] = &[
    "a",
    "1",
    " ",
    "\n",
    "(",
    "~~",
    "<@",
    "https://",
    "~~<:x:1>",
    "0.0₆4 ",
    "1 234 567 ",
    "1,234.5-",
    "①",
    "é\u{301}\u{301}",
    "目标止损",
    "long ",
    "tp ",
    "sl 1 ",
    "BTC ",
    "$A/USDT ",
    "long BTC 1 sl 2 tp 3 ",
    "long BTC\nentry 100\nsl 95\ntp 110\n\n",
    "TP1 1.5\n",
    "> quote\n",
    "close BTC, ",
    "tp1 hit ✅ ",
    "{\"side\":\"buy\",",
    "{\"symbol\":\"SOL\",",
    "| a | b |\n",
    "stop to entry ",
    "if ",
    "🎯 1 🎯 2 ",
    "x10 ",
    "5% ",
    "price=1 ",
    "::::",
    "hit / ",
    "closed & ",
    "move tp ",
    "BTC 1, 2, ",
];

/// Measures reading and adds its figures.
pub(crate) fn measure(figures: &mut Figures, rounds: u32) -> anyhow::Result<()> {
    let lines = corpus()?;
    let posts: Vec<Post> =
        lines.iter().map(|line| Ok(post_of_line(line)?.1)).collect::<anyhow::Result<_>>()?;
    let profile = ChannelProfile::default();
    let (mut reading, mut decoding) = (Vec::new(), Vec::new());
    let mut lengths: Vec<f64> = posts.iter().map(|post| length(post) as f64).collect();
    for _ in 0..rounds {
        reading.push(per_second(&posts, |post| drop(black_box(read(post, &profile)))));
        decoding.push(per_second(&lines, |line| drop(black_box(post_of_line(line)))));
    }
    let (posts_per_s, decoded_per_s) = (median(&mut reading), median(&mut decoding));
    let ns_per_byte = 1e9 / posts_per_s / (lengths.iter().sum::<f64>() / lengths.len() as f64);
    let (worst_ms, worst_text) = worst(&profile);
    println!("reader: the slowest hostile text repeats {worst_text:?}");
    figures.add("reader_posts_per_s", posts_per_s);
    figures.add("reader_median_post_bytes", median(&mut lengths));
    figures.add("reader_vs_json_decoding", posts_per_s / decoded_per_s);
    figures.add("reader_ns_per_byte", ns_per_byte);
    figures.add("reader_hostile_128kib_ms", worst_ms);
    figures.add("reader_hostile_vs_usual_ns_per_byte", worst_ms * 1e6 / HOSTILE_BYTES as f64 / ns_per_byte);
    Ok(())
}

fn corpus() -> anyhow::Result<Vec<String>> {
    if let Some(file) = std::env::var_os("CORPUS").filter(|file| !file.is_empty()) {
        let text = std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        ensure!(!text.trim().is_empty(), "{} holds no posts", file.display());
        return Ok(text.lines().map(str::to_owned).collect());
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/tests/corpus");
    let mut lines = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            lines.extend(std::fs::read_to_string(&path)?.lines().map(str::to_owned));
        }
    }
    ensure!(!lines.is_empty(), "{} holds no posts", folder.display());
    Ok(lines)
}

fn length(post: &Post) -> usize {
    let embeds = post.embeds.iter().flat_map(|embed| embed.texts()).map(|(_, text)| text.len());
    post.content.len() + embeds.sum::<usize>()
}

fn per_second<T>(all: &[T], mut act: impl FnMut(&T)) -> f64 {
    let start = Instant::now();
    for _ in 0..PASSES {
        all.iter().for_each(&mut act);
    }
    (PASSES * all.len()) as f64 / start.elapsed().as_secs_f64()
}

/// The slowest of the hostile texts, each the median of three.
fn worst(profile: &ChannelProfile) -> (f64, &'static str) {
    let timed = HOSTILE.iter().map(|piece| {
        let post = post_of_text(piece.repeat(HOSTILE_BYTES / piece.len()));
        let mut times: Vec<f64> = (0..3)
            .map(|_| {
                let start = Instant::now();
                drop(black_box(read(&post, profile)));
                start.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        (median(&mut times), *piece)
    });
    timed.max_by(|(a, _), (b, _)| a.total_cmp(b)).unwrap_or_default()
}
