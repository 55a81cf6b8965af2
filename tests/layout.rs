//! The rules of the house that no lint knows: who may import whom, how long a file may be, which names are not used.
//!
//! A failing rule names the file. Change the code; change the rule only together with the design.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use syn::buffer::{Cursor, TokenBuffer};
use syn::visit::Visit;

/// The longest file. A longer one has two reasons to change.
const MAX_FILE_LINES: usize = 500;
/// The longest opening comment of a file.
const MAX_HEADER_LINES: usize = 10;
/// Names that say nothing about what a thing is.
const EMPTY_NAMES: [&str; 6] = ["manager", "service", "helper", "util", "processor", "common"];

/// Which crates of ours each crate may use. `server` may use `exchange` for market data only.
const CRATE_EDGES: [(&str, &[&str]); 7] = [
    ("shared", &[]),
    ("launch", &["shared"]),
    ("exchange", &["shared"]),
    ("server", &["shared", "exchange", "launch"]),
    ("contributor", &["shared", "launch"]),
    ("trader-client", &["shared", "exchange", "launch"]),
    ("tests", &["shared", "exchange", "launch", "server", "contributor", "trader-client"]),
];

/// The tables of a manifest that name other crates.
const DEPENDENCIES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// What the files below a path may not name: as the first part of a path, or as the part after `crate::`.
const CLOSED_DOORS: [(&str, &[&str]); 7] = [
    (
        "shared/src",
        &[
            "tokio",
            "sqlx",
            "axum",
            "reqwest",
            "std::fs",
            "std::net",
            "std::env",
            "std::process",
            "std::thread",
            "std::time::Instant",
            "std::time::SystemTime",
        ],
    ),
    ("exchange/src/sim", &["tokio", "sqlx", "std::fs", "std::net", "std::env", "std::thread"]),
    ("server/src/http", &["sqlx"]),
    ("server/src/ingest/binding.rs", &["sqlx", "tokio"]),
    ("server/src/ingest/publish", &["sqlx", "tokio"]),
    ("trader-client/src/engine", &PURE),
    ("trader-client/src/policy", &PURE),
];

/// What decisions may not name: they are told the time, the market and what became of their orders.
const PURE: [&str; 10] = [
    "tokio",
    "sqlx",
    "reqwest",
    "launch",
    "std::fs",
    "std::net",
    "std::env",
    "std::thread",
    "exchange::sim",
    "exchange::candles",
];

/// The only modules of their own crate that the files below a path may name.
const OPEN_DOORS: [(&str, &[&str]); 3] = [
    ("server/src/store", &["store"]),
    ("trader-client/src/engine", &["engine", "policy"]),
    ("trader-client/src/policy", &["policy"]),
];

struct Source {
    /// Relative to the workspace.
    path: String,
    text: String,
    syntax: syn::File,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn sources() -> Vec<Source> {
    let mut files = Vec::new();
    for (name, _) in CRATE_EDGES {
        collect(&root().join(name), &mut files);
    }
    assert!(files.len() > 50, "the walk found only {} files", files.len());
    files
}

fn collect(folder: &Path, files: &mut Vec<Source>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let syntax = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let path = path.strip_prefix(root()).unwrap().display().to_string();
            files.push(Source { path, text, syntax });
        }
    }
}

/// Fails with all offenders at once.
fn assert_none(rule: &str, offenders: &[String]) {
    assert!(offenders.is_empty(), "{rule}:\n  {}", offenders.join("\n  "));
}

#[test]
fn crates_use_only_the_crates_below_them() {
    let mut offenders = Vec::new();
    for (name, allowed) in CRATE_EDGES {
        let manifest = std::fs::read_to_string(root().join(name).join("Cargo.toml")).unwrap();
        let manifest: toml::Table = toml::from_str(&manifest).unwrap();
        let ours: BTreeSet<&str> = CRATE_EDGES.iter().map(|(name, _)| *name).collect();
        for section in DEPENDENCIES {
            let Some(dependencies) = manifest.get(section).and_then(toml::Value::as_table) else { continue };
            let used = dependencies.keys().filter(|dependency| ours.contains(dependency.as_str()));
            let upwards = used.filter(|used| !allowed.contains(&used.as_str()));
            offenders.extend(upwards.map(|used| format!("{name} uses {used} in [{section}]")));
        }
    }
    assert_none("crates that import upwards or sideways", &offenders);
}

#[test]
fn every_dependency_has_one_version_named_in_the_workspace() {
    let mut offenders = Vec::new();
    for (name, _) in CRATE_EDGES {
        let manifest = std::fs::read_to_string(root().join(name).join("Cargo.toml")).unwrap();
        let manifest: toml::Table = toml::from_str(&manifest).unwrap();
        for section in DEPENDENCIES {
            let Some(dependencies) = manifest.get(section).and_then(toml::Value::as_table) else { continue };
            let foreign = dependencies.iter().filter(|(_, wanted)| wanted.get("workspace").is_none());
            offenders.extend(foreign.map(|(dependency, _)| format!("{name}: {dependency}")));
        }
    }
    assert_none("dependencies that do not take the workspace's version", &offenders);
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    let mut offenders = Vec::new();
    for file in sources() {
        let lines = file.text.lines().count();
        let header = file.text.lines().take_while(|line| line.starts_with("//!")).count();
        if lines > MAX_FILE_LINES {
            offenders.push(format!("{} has {lines} lines, more than {MAX_FILE_LINES}", file.path));
        }
        if header == 0 {
            offenders.push(format!("{} does not open with `//!`", file.path));
        }
        if header > MAX_HEADER_LINES {
            offenders.push(format!(
                "{} opens with {header} lines of comment, more than {MAX_HEADER_LINES}",
                file.path
            ));
        }
    }
    assert_none("files", &offenders);
}

/// The paths that a file names, part by part: `std::time::Instant`, `crate::store::posts`. Those that begin with `self` or
/// `super` are resolved, so that they begin with `crate`.
struct Paths {
    /// The module that is being visited, from `crate` on.
    module: Vec<String>,
    found: BTreeSet<Vec<String>>,
}

impl Paths {
    fn walk_use(&mut self, parts: &[&syn::Ident], tree: &syn::UseTree) {
        let with = |ident| [parts, &[ident]].concat();
        match tree {
            syn::UseTree::Path(path) => self.walk_use(&with(&path.ident), &path.tree),
            syn::UseTree::Name(name) => self.add(&with(&name.ident)),
            syn::UseTree::Rename(name) => self.add(&with(&name.ident)),
            syn::UseTree::Glob(_) => self.add(parts),
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.walk_use(parts, item)),
        }
    }

    fn add(&mut self, parts: &[&syn::Ident]) {
        let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
        self.found.insert(resolve(&self.module, &parts));
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.walk_use(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            self.add(&path.segments.iter().map(|segment| &segment.ident).collect::<Vec<_>>());
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.module.push(item.ident.to_string());
        syn::visit::visit_item_mod(self, item);
        self.module.pop();
    }
}

/// The path as seen from the root of its crate, if it begins with `self` or `super`.
fn resolve(module: &[String], parts: &[String]) -> Vec<String> {
    let ups = parts.iter().take_while(|part| *part == "super" || *part == "self").count();
    if ups == 0 {
        return parts.to_vec();
    }
    let levels = parts[..ups].iter().filter(|part| *part == "super").count();
    let kept = module.len().saturating_sub(levels).max(1);
    [&module[..kept], &parts[ups..]].concat()
}

/// The module that a file is: `trader-client/src/engine/trade.rs` is `crate::engine::trade`.
fn module_of(path: &str) -> Vec<String> {
    let inside = path.split_once("/src/").map_or(path, |(_, inside)| inside);
    let parts =
        inside.trim_end_matches(".rs").split('/').filter(|part| !["lib", "main", "mod"].contains(part));
    std::iter::once("crate").chain(parts).map(str::to_owned).collect()
}

fn paths_of(file: &Source) -> BTreeSet<Vec<String>> {
    let mut paths = Paths { module: module_of(&file.path), found: BTreeSet::new() };
    for item in &file.syntax.items {
        if !is_test_module(item) {
            paths.visit_item(item);
        }
    }
    paths.found
}

/// Whether the path leads to the door or through it.
fn leads_to(path: &[String], door: &str) -> bool {
    let mut parts = path.iter();
    door.split("::").all(|wanted| parts.next().is_some_and(|part| part == wanted))
}

fn is_test_module(item: &syn::Item) -> bool {
    let syn::Item::Mod(module) = item else { return false };
    module.attrs.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Ident>().is_ok_and(|argument| argument == "test")
    })
}

#[test]
fn modules_do_not_reach_through_closed_doors() {
    let mut offenders = Vec::new();
    for file in sources() {
        let paths = paths_of(&file);
        for (place, closed) in CLOSED_DOORS.iter().filter(|(place, _)| file.path.starts_with(place)) {
            let named = |door: &&&str| paths.iter().any(|path| leads_to(path, door));
            let named = closed.iter().filter(named);
            offenders.extend(named.map(|door| format!("{} names {door}, closed to {place}", file.path)));
        }
        for (place, open) in OPEN_DOORS.iter().filter(|(place, _)| file.path.starts_with(place)) {
            let own = paths.iter().filter(|path| path[0] == "crate");
            let outside =
                own.filter(|path| path.get(1).is_none_or(|module| !open.contains(&module.as_str())));
            offenders.extend(
                outside.map(|path| format!("{} names {}, closed to {place}", file.path, path.join("::"))),
            );
        }
    }
    assert_none("imports", &offenders);
}

/// The names that a file gives to types, traits and modules.
#[derive(Default)]
struct Names(Vec<String>);

impl<'ast> Visit<'ast> for Names {
    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.0.push(item.ident.to_string());
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.0.push(item.ident.to_string());
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.0.push(item.ident.to_string());
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.0.push(item.ident.to_string());
        syn::visit::visit_item_mod(self, item);
    }
}

#[test]
fn names_say_what_a_thing_is() {
    let mut offenders = Vec::new();
    for file in sources() {
        let mut names = Names::default();
        names.visit_file(&file.syntax);
        let empty = |name: &&String| EMPTY_NAMES.iter().any(|empty| name.to_lowercase().contains(empty));
        offenders.extend(names.0.iter().filter(empty).map(|name| format!("{}: {name}", file.path)));
    }
    assert_none("names that say nothing", &offenders);
}

/// Whether a file holds nothing but tests.
fn is_test_file(path: &str) -> bool {
    path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("/tests.rs")
}

/// Whether the word stands among the tokens, however deep. Texts in quotes do not count.
fn has_word(mut cursor: Cursor, wanted: &str) -> bool {
    while let Some((_, rest)) = cursor.token_tree() {
        let here = cursor.ident().is_some_and(|(word, _)| word == wanted);
        if here || cursor.any_group().is_some_and(|(inside, ..)| has_word(inside, wanted)) {
            return true;
        }
        cursor = rest;
    }
    false
}

/// Calls of `sleep`, also inside macros such as `select!`, and `#[ignore]`.
#[derive(Default)]
struct Shortcuts(Vec<&'static str>);

impl<'ast> Visit<'ast> for Shortcuts {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.last().is_some_and(|last| last.ident == "sleep") {
            self.0.push("sleep");
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        // What a macro is given need not be Rust, so syn leaves it as tokens.
        if has_word(TokenBuffer::new2(called.tokens.clone()).begin(), "sleep") {
            self.0.push("sleep inside a macro");
        }
        syn::visit::visit_macro(self, called);
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        if attribute.path().is_ident("ignore") {
            self.0.push("#[ignore]");
        }
    }
}

#[test]
fn tests_neither_sleep_nor_are_skipped() {
    let mut offenders = Vec::new();
    for file in sources() {
        let mut shortcuts = Shortcuts::default();
        if is_test_file(&file.path) {
            shortcuts.visit_file(&file.syntax);
        } else {
            file.syntax
                .items
                .iter()
                .filter(|item| is_test_module(item))
                .for_each(|item| shortcuts.visit_item(item));
        }
        offenders.extend(shortcuts.0.iter().map(|shortcut| format!("{}: {shortcut}", file.path)));
    }
    assert_none("tests that wait for a while or do not run", &offenders);
}

#[test]
fn paths_are_resolved_and_doors_are_found_behind_them() {
    let found = |path: &str, text: &str| {
        let source = Source { path: path.into(), text: text.into(), syntax: syn::parse_file(text).unwrap() };
        paths_of(&source).iter().map(|path| path.join("::")).collect::<Vec<_>>()
    };
    assert_eq!(found("trader-client/src/engine.rs", "use super::journal;"), ["crate::journal"]);
    assert_eq!(
        found("a/src/engine/trade.rs", "use super::super::{journal::*, self};"),
        ["crate", "crate::journal"]
    );
    assert_eq!(
        found("a/src/engine/trade.rs", "mod inner { fn f() { super::g() } }"),
        ["crate::engine::trade::g"]
    );
    assert_eq!(
        found("a/src/reading/mod.rs", "use super::wire; use self::market;"),
        ["crate::reading::market", "crate::wire"]
    );
    let path = ["std", "time", "Instant", "now"].map(str::to_owned);
    assert!(
        leads_to(&path, "std::time::Instant") && leads_to(&path, "std") && !leads_to(&path, "std::time::Ins")
    );
}

#[test]
fn sleep_is_found_inside_macros_and_files_of_tests_by_their_names() {
    let text = "fn f() { select! { () = sleep(LONG) => {} } } fn g() { println!(\"sleep\", sleepless) }";
    let mut shortcuts = Shortcuts::default();
    shortcuts.visit_file(&syn::parse_file(text).unwrap());
    assert_eq!(shortcuts.0, ["sleep inside a macro"]);
    for path in ["tests/feed.rs", "a/src/desk/tests.rs", "a/src/engine/tests/exits.rs", "a/tests/b/main.rs"] {
        assert!(is_test_file(path), "{path}");
    }
    assert!(!is_test_file("a/src/contests.rs"));
}

#[test]
fn the_words_for_people_hold_no_places_to_be_filled_in() {
    let mut offenders = Vec::new();
    for file in markdown(&root()) {
        let text = std::fs::read_to_string(&file).unwrap();
        let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        let places = words.filter(|word| {
            let name = word.strip_suffix("_TABLE").unwrap_or_default();
            !name.is_empty() && name.bytes().all(|letter| letter.is_ascii_uppercase())
        });
        let file = file.strip_prefix(root()).unwrap().display().to_string();
        offenders.extend(places.map(|place| format!("{file}: {place}")));
    }
    assert_none("places that nobody has filled in", &offenders);
}

/// The files of words at the top and one folder below.
fn markdown(folder: &Path) -> Vec<PathBuf> {
    let files_of = |folder: &Path| {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries
            .filter(|path| !path.file_name().unwrap().to_string_lossy().starts_with('.'))
            .collect::<Vec<_>>()
    };
    let (folders, mut files): (Vec<_>, Vec<_>) = files_of(folder).into_iter().partition(|path| path.is_dir());
    files.extend(
        folders.iter().filter(|folder| !folder.ends_with("target")).flat_map(|folder| files_of(folder)),
    );
    files.retain(|file| file.extension().is_some_and(|extension| extension == "md"));
    files
}
