//! `read`: what posts in a file say, without server, settings or outbox: one reading a line, or in words for people.
//!
//! Entry point: [`run`]. Invariants: one line is held at a time, however long the file; a line that is no post is told
//! on standard error and the others are still read; standard output holds nothing but answers.

mod explain;
mod lines;
mod paint;
mod words;

use std::fs::File;
use std::io::{self, BufReader, BufWriter, IsTerminal as _, Read, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use shared::batch::{line_of_reading, post_of_line, post_of_text};
use shared::post::Post;
use shared::reading::{ChannelProfile, ProfileDraft};

use crate::failure::Failure;
use crate::report;
use lines::{Line, MAX_LINE_BYTES};
use paint::Style;

/// What is asked for.
#[derive(Debug)]
pub struct Wanted {
    /// The file; `-` is standard input.
    pub file: PathBuf,
    /// A channel's habits, as TOML.
    pub profile: Option<PathBuf>,
    /// The file is the text of one post, not JSON lines.
    pub text: bool,
    /// Answers for people, in these colours.
    pub explain: Option<Color>,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set or `TERM` is `dumb`
    Auto,
    /// Also in files and pipes
    Always,
    /// Marks such as `[entry 64200]` instead
    Never,
}

/// Why reading ends early.
enum Stopped {
    Reading(io::Error),
    Writing(io::Error),
    TooLong,
    NotUtf8,
}

/// Who answers, and how.
struct Reader {
    profile: ChannelProfile,
    /// None for JSON.
    style: Option<Style>,
}

/// Reads every post of the file and writes the answers to standard output.
pub fn run(wanted: &Wanted) -> Result<(), Failure> {
    let reader =
        Reader { profile: profile(wanted.profile.as_deref())?, style: wanted.explain.map(Color::style) };
    let name = name(&wanted.file);
    let mut input = open(&wanted.file)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let read = if wanted.text {
        reader.text(&mut input, &mut out).map(|()| Account::default())
    } else {
        reader.lines(&name, &mut input, &mut out)
    };
    match read {
        Ok(account) => account.verdict(),
        // Whoever listened has heard enough.
        Err(Stopped::Writing(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(Stopped::Writing(error)) => Err(Failure::Other(anyhow::anyhow!("writing the readings: {error}"))),
        Err(Stopped::Reading(error)) => Err(Failure::Input(format!("reading {name}: {error}"))),
        Err(Stopped::TooLong) => Err(Failure::Input(format!("{name} has more than {MAX_LINE_BYTES} bytes"))),
        Err(Stopped::NotUtf8) => Err(Failure::Input(format!("{name} is not UTF-8 text"))),
    }
}

/// How many lines there were, and how many were no posts.
#[derive(Default)]
struct Account {
    lines: u64,
    bad: u64,
}

impl Account {
    fn verdict(&self) -> Result<(), Failure> {
        if self.bad == 0 {
            return Ok(());
        }
        let Account { lines, bad } = self;
        Err(Failure::Other(anyhow::anyhow!("{bad} of {lines} lines hold no post, as said above")))
    }
}

impl Reader {
    fn lines(
        &self,
        name: &str,
        input: &mut BufReader<Box<dyn Read>>,
        out: &mut impl Write,
    ) -> Result<Account, Stopped> {
        let (mut account, mut line) = (Account::default(), Vec::new());
        loop {
            let found = lines::next(input, &mut line).map_err(Stopped::Reading)?;
            if found == Line::End {
                break;
            }
            account.lines += 1;
            match self.line(found, &line, account.lines == 1) {
                Ok(answer) => out.write_all(answer.as_bytes()).map_err(Stopped::Writing)?,
                Err(problem) => {
                    account.bad += 1;
                    report::say(format_args!("{name}, line {}: {problem}", account.lines));
                }
            }
            // What was answered is not held back while the next post is still being written.
            if input.buffer().is_empty() {
                out.flush().map_err(Stopped::Writing)?;
            }
        }
        out.flush().map_err(Stopped::Writing)?;
        Ok(account)
    }

    /// The answer to one line, with its line's end; nothing for an empty line.
    fn line(&self, found: Line, line: &[u8], first: bool) -> Result<String, String> {
        if found == Line::TooLong {
            return Err(format!("longer than {MAX_LINE_BYTES} bytes"));
        }
        let text = std::str::from_utf8(line)
            .map_err(|error| format!("not UTF-8 text (byte {})", error.valid_up_to()))?;
        // Some editors put a mark at the start of a file that says nothing but "UTF-8".
        let text = if first { text.trim_start_matches('\u{feff}') } else { text };
        if text.trim().is_empty() {
            return Ok(String::new());
        }
        let (id, post) = post_of_line(text).map_err(|error| error.to_string())?;
        Ok(self.answer(Some(&id), &post))
    }

    fn text(&self, input: &mut impl Read, out: &mut impl Write) -> Result<(), Stopped> {
        let mut text = Vec::new();
        let limit = u64::try_from(MAX_LINE_BYTES).unwrap_or(u64::MAX).saturating_add(1);
        input.take(limit).read_to_end(&mut text).map_err(Stopped::Reading)?;
        if text.len() > MAX_LINE_BYTES {
            return Err(Stopped::TooLong);
        }
        let text = String::from_utf8(text).map_err(|_| Stopped::NotUtf8)?;
        let answer = self.answer(None, &post_of_text(text));
        out.write_all(answer.as_bytes()).and_then(|()| out.flush()).map_err(Stopped::Writing)
    }

    fn answer(&self, id: Option<&str>, post: &Post) -> String {
        let reading = shared::reading::read(post, &self.profile);
        match self.style {
            Some(style) => explain::explain(id, post, &reading, style),
            None => line_of_reading(id.unwrap_or("text"), post, &reading) + "\n",
        }
    }
}

impl Color {
    fn style(self) -> Style {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let colored = match self {
            Color::Auto => io::stdout().is_terminal() && !set("NO_COLOR") && !dumb,
            Color::Always => true,
            Color::Never => false,
        };
        if colored { Style::Colors } else { Style::Marks }
    }
}

fn name(file: &Path) -> String {
    if file == Path::new("-") { "standard input".to_owned() } else { file.display().to_string() }
}

fn open(file: &Path) -> Result<BufReader<Box<dyn Read>>, Failure> {
    let source: Box<dyn Read> = if file == Path::new("-") {
        Box::new(io::stdin())
    } else {
        let opened = File::open(file);
        Box::new(opened.map_err(|error| Failure::Input(format!("opening {}: {error}", file.display())))?)
    };
    Ok(BufReader::new(source))
}

/// The profile in a file. Its callers are left out: the posts of a file have no author who could be one.
fn profile(file: Option<&Path>) -> Result<ChannelProfile, Failure> {
    let Some(file) = file else { return Ok(ChannelProfile::default()) };
    let bad = |problem: &dyn std::fmt::Display| Failure::Input(format!("--profile: {problem}"));
    let draft: ProfileDraft =
        launch::config::load(Some(file), "", std::iter::empty()).map_err(|error| bad(&error))?;
    ChannelProfile::new(ProfileDraft { callers: Vec::new(), ..draft })
        .map_err(|error| bad(&format_args!("{}: {error}", file.display())))
}
