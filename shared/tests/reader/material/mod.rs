//! The accepted calls of the labelled corpus, and dice with a seed to change them.

pub(crate) mod checks;

use shared::batch::post_of_line;
use shared::post::Post;
use shared::reading::{ChannelProfile, Reading, read};

/// An accepted post with its reading.
pub(crate) struct Call {
    pub(crate) id: String,
    pub(crate) post: Post,
    pub(crate) reading: Reading,
}

pub(crate) fn calls() -> Vec<Call> {
    let posts = corpus().into_iter().map(|line| post_of_line(&line).unwrap());
    let read = posts.map(|(id, post)| Call { id, reading: read(&post, &ChannelProfile::default()), post });
    let calls: Vec<Call> = read.filter(|call| !call.reading.verdict.signals().is_empty()).collect();
    assert!(calls.len() > 100, "the corpus was not found");
    calls
}

/// The lines of the labelled corpus.
fn corpus() -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|e| e == "jsonl")).collect();
    files.sort();
    let texts = files.iter().map(|path| std::fs::read_to_string(path).unwrap());
    texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// Repeatable dice: xorshift, good enough to choose places.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number from 0 to `end - 1`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end).unwrap()).unwrap()
    }
}
