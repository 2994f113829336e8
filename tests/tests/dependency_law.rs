//! The dependency law (DESIGN's section on layout): which package may use which, and which
//! one file names each engine.
//!
//! It reads the manifests and the sources themselves. Comments and texts do not count as
//! names. Every check is also run on made-up sources that break it, so that none of them
//! can pass by looking at nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails where these do"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const OURS: [&str; 5] = [
    "smp-protocol",
    "smp-certs",
    "smp-node",
    "smp-admin-cli",
    "system-tests",
];

/// Each package's directory, and those of ours that it may use.
const MAY_USE: [(&str, &[&str]); 4] = [
    ("protocol", &[]),
    ("certs", &["smp-protocol"]),
    ("node", &["smp-protocol", "smp-certs"]),
    ("admin-cli", &["smp-protocol", "smp-certs"]),
];

/// Each engine, and the beginnings of the paths that may name it. The first three are held
/// to it by tests as well: no test may hand bytes to automerge or write bincode of its own. The
/// benchmark runs automerge as a peer to compare with, on documents of its own.
const NAMED_BY: [(&str, &[&str], Scope); 6] = [
    (
        "automerge",
        &["protocol/src/document/replica", "tests/benches/sync/"],
        Scope::All,
    ),
    ("bincode", &["protocol/src/codec.rs"], Scope::All),
    ("zstd", &["protocol/src/codec.rs"], Scope::All),
    ("quinn", &["node/src/transport"], Scope::Product),
    ("redb", &["node/src/store/"], Scope::Product),
    ("sled", &["node/src/store/"], Scope::Product),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// Sources and tests.
    All,
    /// What is built into the binaries.
    Product,
}

/// What the pure core never touches: files, sockets, clocks, threads, the environment.
const IMPURE: [&str; 9] = [
    "std::fs",
    "std::net",
    "std::time::Instant",
    "std::time::SystemTime",
    "std::thread",
    "std::env",
    "std::process",
    "std::io::stdin",
    "std::os",
];

/// Crates with entropy, sockets or clocks of their own.
const IMPURE_CRATES: [&str; 5] = ["getrandom", "rand", "rand_core", "tokio", "rustix"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The sources under a directory of the workspace: path from the root, and text.
fn sources(directory: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut left = vec![directory.to_owned()];
    while let Some(next) = left.pop() {
        let Ok(entries) = std::fs::read_dir(root().join(&next)) else {
            continue;
        };
        for entry in entries {
            let entry = entry.unwrap();
            let path = format!("{next}/{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                left.push(path);
            } else if path.ends_with(".rs") {
                let text = std::fs::read_to_string(entry.path()).unwrap();
                found.insert(path, text);
            }
        }
    }
    found
}

/// The words and marks of a source, without comments and the insides of texts.
fn tokens(source: &str) -> Vec<String> {
    let chars: Vec<char> = source.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let (mut out, mut i) = (Vec::new(), 0);
    while i < chars.len() {
        match (at(i), at(i + 1)) {
            ('/', '/') => i = skip_line(&chars, i),
            ('/', '*') => i = skip_block(&chars, i),
            ('"', _) => i = skip_text(&chars, i + 1),
            ('r', '"' | '#') if i == 0 || !word(at(i - 1)) => i = skip_raw(&chars, i + 1),
            // A character; a lifetime has no quote after it.
            ('\'', '\\') => {
                i = (i + 3..)
                    .find(|j| at(*j) == '\'' || at(*j) == '\0')
                    .unwrap()
                    + 1
            }
            ('\'', _) if at(i + 2) == '\'' => i += 3,
            (':', ':') => {
                out.push("::".to_owned());
                i += 2;
            }
            (c, _) if word(c) => {
                let end = (i..).find(|j| !word(at(*j))).unwrap();
                out.push(chars[i..end].iter().collect());
                i = end;
            }
            (c, _) => {
                if !c.is_whitespace() {
                    out.push(c.to_string());
                }
                i += 1;
            }
        }
    }
    out
}

fn skip_line(chars: &[char], from: usize) -> usize {
    (from..chars.len())
        .find(|i| chars[*i] == '\n')
        .unwrap_or(chars.len())
}

/// Block comments nest.
fn skip_block(chars: &[char], from: usize) -> usize {
    let (mut depth, mut i) = (0, from);
    while i + 1 < chars.len() {
        match (chars[i], chars[i + 1]) {
            ('/', '*') => (depth, i) = (depth + 1, i + 2),
            ('*', '/') => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            return i;
        }
    }
    chars.len()
}

fn skip_text(chars: &[char], from: usize) -> usize {
    let mut i = from;
    while i < chars.len() {
        match chars[i] {
            '\\' => i += 2,
            '"' => return i + 1,
            _ => i += 1,
        }
    }
    chars.len()
}

/// A raw text, or a raw name (`r#type`), from behind its `r`.
fn skip_raw(chars: &[char], from: usize) -> usize {
    let hashes = chars[from..].iter().take_while(|c| **c == '#').count();
    if chars.get(from + hashes) != Some(&'"') {
        return from + hashes;
    }
    let close: String = format!("\"{}", "#".repeat(hashes));
    let rest: String = chars[from + hashes + 1..].iter().collect();
    let length = rest
        .find(&close)
        .map_or(rest.len(), |end| end + close.len());
    from + hashes + 1 + rest[..length].chars().count()
}

/// Whether the source names this crate: at the start of a path, or in a `use` or `extern`.
fn names_crate(tokens: &[String], name: &str) -> bool {
    tokens.iter().enumerate().any(|(i, token)| {
        let before = i.checked_sub(1).and_then(|j| tokens.get(j));
        let before = before.map_or("", String::as_str);
        let after = tokens.get(i + 1).map_or("", String::as_str);
        let two_before = i.checked_sub(2).and_then(|j| tokens.get(j));
        let rooted = before != "::" || two_before.is_none_or(|t| t == "use" || !is_word(t));
        token == name && rooted && (after == "::" || matches!(before, "use" | "crate" | "::"))
    })
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '}' || c == '>')
}

/// Every path that begins with `root`, with groups in braces written out.
fn paths(tokens: &[String], root: &str) -> Vec<String> {
    let mut out = Vec::new();
    for (i, token) in tokens.iter().enumerate() {
        if token == root {
            expand(tokens, i + 1, root.to_owned(), &mut out);
        }
    }
    out
}

/// Follows one path from behind its first word; returns where it ends.
fn expand(tokens: &[String], from: usize, path: String, out: &mut Vec<String>) -> usize {
    let at = |i: usize| tokens.get(i).map_or("", String::as_str);
    if at(from) != "::" {
        let renamed = at(from) == "as";
        out.push(if renamed { format!("{path} as") } else { path });
        return from;
    }
    if at(from + 1) != "{" {
        let next = format!("{path}::{}", at(from + 1));
        return expand(tokens, from + 2, next, out);
    }
    let mut i = from + 2;
    while !matches!(at(i), "}" | "") {
        if matches!(at(i), ",") {
            i += 1;
            continue;
        }
        let next = format!("{path}::{}", at(i));
        i = expand(tokens, i + 1, next, out);
        while !matches!(at(i), "," | "}" | "") {
            i += 1;
        }
    }
    i + 1
}

/// What in a source of the pure core is not pure.
fn impurities(source: &str) -> Vec<String> {
    let tokens = tokens(source);
    let mut found: Vec<String> = Vec::new();
    for root in ["std", "core"] {
        for path in paths(&tokens, root) {
            let path = path.replacen("core", "std", 1);
            let renamed = path.trim_end_matches(" as");
            // Under another name, or none, what is used of it would not be seen.
            let all_of_time = ["std::time", "std::time::self", "std::time::*"];
            let hidden = path == "std as" || path == "std::*" || all_of_time.contains(&renamed);
            let below = |bad: &str| renamed == bad || renamed.starts_with(&format!("{bad}::"));
            if hidden || IMPURE.iter().any(|bad| below(bad)) {
                found.push(path);
            }
        }
    }
    let crates = IMPURE_CRATES.iter().filter(|c| names_crate(&tokens, c));
    found.extend(crates.map(|c| (*c).to_owned()));
    // A generator is seeded by the caller; the functions beside it seed themselves.
    for path in paths(&tokens, "fastrand") {
        if path != "fastrand::Rng::with_seed" && path != "fastrand::Rng" {
            found.push(path);
        }
    }
    found
}

/// The packages of ours that a manifest uses, in whatever kind of dependency.
fn uses_of_ours(manifest: &str) -> Vec<String> {
    let manifest: toml::Table = manifest.parse().unwrap();
    let mut tables = vec![&manifest];
    if let Some(targets) = manifest.get("target").and_then(|t| t.as_table()) {
        tables.extend(targets.values().filter_map(|t| t.as_table()));
    }
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    let mut found = Vec::new();
    for table in tables {
        let of_kind = kinds.iter().filter_map(|kind| table.get(*kind)?.as_table());
        for (name, details) in of_kind.flatten() {
            let renamed = details.get("package").and_then(|p| p.as_str());
            found.push(renamed.unwrap_or(name).to_owned());
        }
    }
    found.retain(|name| OURS.contains(&name.as_str()));
    found
}

fn unlawful(manifest: &str, may_use: &[&str]) -> Vec<String> {
    let mut uses = uses_of_ours(manifest);
    uses.retain(|name| !may_use.contains(&name.as_str()));
    uses
}

#[test]
fn packages_use_only_those_below_them() {
    for (directory, may_use) in MAY_USE {
        let path = root().join(directory).join("Cargo.toml");
        let manifest = std::fs::read_to_string(path).unwrap();
        let unlawful = unlawful(&manifest, may_use);
        assert!(unlawful.is_empty(), "{directory} must not use {unlawful:?}");
    }
}

#[test]
fn an_unlawful_dependency_is_found() {
    let cases = [
        "[dependencies]\nsmp-node.workspace = true",
        "[dev-dependencies]\nsmp-node = { path = \"../node\" }",
        "[build-dependencies]\nhelper = { package = \"smp-node\", path = \"../node\" }",
        "[target.'cfg(unix)'.dependencies]\nsmp-node.workspace = true",
    ];
    for manifest in cases {
        assert_eq!(unlawful(manifest, &["smp-protocol"]), ["smp-node"]);
    }
    let lawful = "[dependencies]\nsmp-protocol.workspace = true\nserde = \"1\"";
    assert!(unlawful(lawful, &["smp-protocol"]).is_empty());
}

#[test]
fn each_engine_is_named_in_its_own_place_alone() {
    let product = ["protocol/src", "certs/src", "node/src", "admin-cli/src"];
    let tests = [
        "protocol/tests",
        "certs/tests",
        "node/tests",
        "admin-cli/tests",
        "tests",
    ];
    for (engine, places, scope) in NAMED_BY {
        let more = if scope == Scope::All { &tests[..] } else { &[] };
        let mut looked_at = 0;
        for (path, text) in product.iter().chain(more).flat_map(|d| sources(d)) {
            looked_at += 1;
            let lawful = places.iter().any(|place| path.starts_with(place));
            assert!(
                lawful || !names_crate(&tokens(&text), engine),
                "{path} names {engine}; only {places:?} may"
            );
        }
        assert!(looked_at > 50, "only {looked_at} sources were found");
    }
    for (engine, file) in [
        ("automerge", "protocol/src/document/replica.rs"),
        ("bincode", "protocol/src/codec.rs"),
        ("zstd", "protocol/src/codec.rs"),
    ] {
        let text = std::fs::read_to_string(root().join(file)).unwrap();
        assert!(names_crate(&tokens(&text), engine), "{file}: {engine}");
    }
}

#[test]
fn a_name_is_found_wherever_it_counts_and_nowhere_else() {
    let named = [
        "use automerge::Automerge;",
        "fn f() { let x = automerge :: Automerge::new(); }",
        "use ::automerge;",
        "use automerge as other;",
        "extern crate automerge;",
        "use {serde::Serialize, automerge::ChangeHash};",
        "/* a */ pub fn f(_: &automerge::Change) {} // b",
        "const A: &str = \"\\\"\"; fn f() { automerge::f() }",
        "const A: &str = r#\"\"\"#; fn f<'a>(c: char) { c == '\"'; automerge::f() }",
        "fn f<'a>(_: &'a str) { '\\''; ::automerge::f() }",
    ];
    for source in named {
        assert!(names_crate(&tokens(source), "automerge"), "{source}");
    }
    let not_named = [
        "// use automerge::Automerge;",
        "/// See [`automerge::Change`].\nfn f() {}",
        "/* automerge::f() /* nested automerge::g() */ automerge::h() */",
        "const A: &str = \"use automerge::Automerge;\";",
        "const A: &str = r##\"automerge::f() \"# \"##;",
        "fn automerge_heads() {}",
        "use crate::engines::automerge::f;",
        "let automerge = 1;",
    ];
    for source in not_named {
        assert!(!names_crate(&tokens(source), "automerge"), "{source}");
    }
}

#[test]
fn the_core_touches_no_file_socket_clock_thread_or_entropy() {
    let sources = sources("protocol/src");
    assert!(sources.len() > 30);
    for (path, text) in sources {
        let impurities = impurities(&text);
        assert!(impurities.is_empty(), "{path} uses {impurities:?}");
    }
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let fastrand = &manifest["workspace"]["dependencies"]["fastrand"];
    assert_eq!(
        fastrand["default-features"].as_bool(),
        Some(false),
        "fastrand seeds itself with its default features"
    );
}

#[test]
fn an_impurity_is_found() {
    let impure = [
        "use std::fs;",
        "use std::fs::File;",
        "fn f() { std::thread::spawn(|| ()); }",
        "use std::{collections::BTreeMap, net::TcpStream};",
        "use std::{collections::{BTreeMap, HashMap}, fs};",
        "use std::time::{Duration, Instant};",
        "use std::time;",
        "use std::{time::{self, Duration}};",
        "use std::{time::{Duration, SystemTime}};",
        "use std::time::SystemTime as Clock;",
        "use std as other;",
        "use std::*;",
        "use std::net as n;",
        "fn f() { ::core::net::Ipv4Addr::LOCALHOST; }",
        "fn f() { getrandom::fill(&mut []); }",
        "use rand::Rng;",
        "fn f() { fastrand::u64(..); }",
        "fn f() { fastrand::Rng::new(); }",
    ];
    for source in impure {
        assert!(!impurities(source).is_empty(), "{source}");
    }
    let pure = [
        "use std::collections::BTreeMap;",
        "use std::time::Duration;",
        "use std::{fmt, sync::Arc};",
        "// std::fs::read\nfn f() {}",
        "const A: &str = \"std::net\";",
        "fn f(seed: u64) { fastrand::Rng::with_seed(seed); }",
        "fn f() { standard::fs(); random::rand(); }",
    ];
    for source in pure {
        assert_eq!(impurities(source), Vec::<String>::new(), "{source}");
    }
}
