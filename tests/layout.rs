//! The rules of the house that no lint knows: who may import whom, how long a file may be, which names are not used.
//!
//! A failing rule names the file. Change the code; change the rule only together with the design.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

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
    ("launch", &[]),
    ("exchange", &["shared"]),
    ("server", &["shared", "exchange", "launch"]),
    ("contributor", &["shared", "launch"]),
    ("trader-client", &["shared", "exchange", "launch"]),
    ("tests", &["shared", "exchange", "launch", "server", "contributor", "trader-client"]),
];

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
        ],
    ),
    ("exchange/src/sim", &["tokio", "sqlx", "std::fs", "std::net", "std::env", "std::thread"]),
    ("server/src/http", &["sqlx"]),
    ("server/src/ingest/binding.rs", &["sqlx", "tokio"]),
    ("server/src/ingest/publish.rs", &["sqlx", "tokio"]),
    (
        "trader-client/src/engine",
        &["tokio", "sqlx", "reqwest", "launch", "std::fs", "std::net", "std::env", "std::thread"],
    ),
    (
        "trader-client/src/policy",
        &["tokio", "sqlx", "reqwest", "launch", "std::fs", "std::net", "std::env", "std::thread"],
    ),
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
        let dependencies = manifest["dependencies"].as_table().unwrap();
        let used = dependencies.keys().filter(|dependency| ours.contains(dependency.as_str()));
        offenders.extend(
            used.filter(|used| !allowed.contains(&used.as_str())).map(|used| format!("{name} uses {used}")),
        );
    }
    assert_none("crates that import upwards or sideways", &offenders);
}

#[test]
fn every_dependency_has_one_version_named_in_the_workspace() {
    let mut offenders = Vec::new();
    for (name, _) in CRATE_EDGES {
        let manifest = std::fs::read_to_string(root().join(name).join("Cargo.toml")).unwrap();
        let manifest: toml::Table = toml::from_str(&manifest).unwrap();
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
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

/// The paths that a file names, by their first two parts: `std::fs`, `crate::store`, `sqlx::query`.
#[derive(Default)]
struct Paths(BTreeSet<(String, String)>);

impl Paths {
    fn walk_use(&mut self, first: &syn::Ident, tree: &syn::UseTree) {
        match tree {
            syn::UseTree::Path(path) => self.add(first, &path.ident),
            syn::UseTree::Name(name) => self.add(first, &name.ident),
            syn::UseTree::Rename(name) => self.add(first, &name.ident),
            syn::UseTree::Glob(_) => self.add(first, first),
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.walk_use(first, item)),
        }
    }

    fn add(&mut self, first: &syn::Ident, second: &syn::Ident) {
        self.0.insert((first.to_string(), second.to_string()));
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        match &item.tree {
            syn::UseTree::Path(path) => self.walk_use(&path.ident, &path.tree),
            syn::UseTree::Name(name) => self.add(&name.ident, &name.ident),
            _ => {}
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let mut parts = path.segments.iter();
        if let (Some(first), Some(second)) = (parts.next(), parts.next()) {
            self.add(&first.ident, &second.ident);
        }
        syn::visit::visit_path(self, path);
    }
}

fn paths_of(file: &Source) -> BTreeSet<(String, String)> {
    let mut paths = Paths::default();
    for item in &file.syntax.items {
        if !is_test_module(item) {
            paths.visit_item(item);
        }
    }
    paths.0
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
            let named = |door: &&&str| match door.split_once("::") {
                Some((first, second)) => paths.contains(&(first.to_owned(), second.to_owned())),
                None => paths.iter().any(|(first, _)| first == *door),
            };
            offenders.extend(
                closed
                    .iter()
                    .filter(named)
                    .map(|door| format!("{} names {door}, closed to {place}", file.path)),
            );
        }
        for (place, open) in OPEN_DOORS.iter().filter(|(place, _)| file.path.starts_with(place)) {
            let own = paths.iter().filter(|(first, _)| first == "crate").map(|(_, module)| module);
            let outside = own.filter(|module| !open.contains(&module.as_str()));
            offenders.extend(
                outside.map(|module| format!("{} names crate::{module}, closed to {place}", file.path)),
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

/// Calls of `sleep`, and `#[ignore]`.
#[derive(Default)]
struct Shortcuts(Vec<&'static str>);

impl<'ast> Visit<'ast> for Shortcuts {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.last().is_some_and(|last| last.ident == "sleep") {
            self.0.push("sleep");
        }
        syn::visit::visit_path(self, path);
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
        if file.path.starts_with("tests/") || file.path.contains("/tests/") {
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
