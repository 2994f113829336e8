//! The configuration: what is read, what is refused and how it is named.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::{Config, ConfigError, Severity};
use crate::logging::{LogFormat, LogLevel};
use crate::store::EngineKind;

const LEAST: &str = "data_dir = \"data\"\nkeys_dir = \"keys\"\nsocket = \"s.sock\"\n";

fn load(text: &str) -> (tempfile::TempDir, Result<Config, ConfigError>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("smp-node.toml");
    fs::write(&path, text).unwrap();
    let config = Config::load(&path);
    (dir, config)
}

#[test]
fn the_least_has_defaults_and_paths_beside_the_file() {
    let (dir, config) = load(LEAST);
    let config = config.unwrap();
    assert_eq!(config.data_dir, dir.path().join("data"));
    assert_eq!(config.keys_dir, dir.path().join("keys"));
    assert_eq!(config.socket, dir.path().join("s.sock"));
    assert_eq!(config.listen.to_string(), "0.0.0.0:7400");
    assert_eq!(config.store.engine, EngineKind::Redb);
    assert_eq!(
        (config.log.format, config.log.level),
        (LogFormat::Text, LogLevel::Info)
    );
}

#[test]
fn the_packaged_example_is_read() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("packaging/smp-node.toml");
    let config = Config::load(&path).unwrap();
    assert!(config.data_dir.is_absolute() && config.keys_dir.is_absolute());
}

#[test]
fn what_is_wrong_is_named_with_file_line_key_and_what_is_accepted() {
    let cases = [
        ("lisen = \"a\"\n", "line 4", "lisen", "`listen`"),
        (
            "council = \"E08000021\"\n",
            "line 4",
            "council",
            "`data_dir`",
        ),
        ("listen = \"here\"\n", "line 4", "listen", "socket address"),
        ("listen = 7400\n", "line 4", "listen", "7400"),
        (
            "[store]\nengine = \"rocks\"\n",
            "line 5",
            "engine",
            "`redb`",
        ),
        ("[log]\n\nlevel = \"loud\"\n", "line 6", "level", "`warn`"),
        ("[log]\nformat = \"xml\"\n", "line 5", "format", "`json`"),
        ("[log]\nfile = \"x\"\n", "line 5", "file", "`format`"),
        ("socket = \"twice\"\n", "line 4", "socket", "duplicate"),
        ("what is this\n", "line 4", "what", "expected"),
    ];
    for (more, line, key, accepted) in cases {
        let (_dir, config) = load(&format!("{LEAST}{more}"));
        let error = config.unwrap_err().to_string();
        for part in ["smp-node.toml", line, key, accepted, "check-config"] {
            assert!(error.contains(part), "{more:?} lacks {part:?}: {error}");
        }
    }
}

#[test]
fn a_missing_key_is_named() {
    let (_dir, config) = load("data_dir = \"data\"\nsocket = \"s\"\n");
    let error = config.unwrap_err().to_string();
    assert!(
        error.contains("keys_dir") && error.contains("smp-node.toml"),
        "{error}"
    );
}

#[test]
fn keys_inside_the_data_are_refused_by_any_road() {
    let text = |keys: &str| format!("data_dir = \"data\"\nkeys_dir = \"{keys}\"\nsocket = \"s\"\n");
    for keys in ["data", "data/keys", "x/../data/keys", "./data/./k"] {
        let (_dir, config) = load(&text(keys));
        let error = config.unwrap_err();
        assert!(
            matches!(error, ConfigError::KeysInData { .. }),
            "{keys}: {error}"
        );
    }
    for keys in ["keys", "data/../keys", "data-keys"] {
        let (_dir, config) = load(&text(keys));
        assert!(config.is_ok(), "{keys}");
    }
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("data")).unwrap();
    std::os::unix::fs::symlink("data", dir.path().join("link")).unwrap();
    let path = dir.path().join("smp-node.toml");
    fs::write(&path, text("link/keys")).unwrap();
    let error = Config::load(&path).unwrap_err();
    assert!(matches!(error, ConfigError::KeysInData { .. }), "{error}");
}

#[test]
fn a_file_that_is_none_of_ours_is_refused() {
    let (_dir, config) = load(&"#".repeat(100_000));
    assert!(matches!(config, Err(ConfigError::TooLong { .. })));
    let missing = Config::load(&PathBuf::from("/nowhere/smp-node.toml")).unwrap_err();
    assert!(missing.to_string().contains("smp-node init"), "{missing}");
}

#[test]
fn check_names_what_is_missing_and_what_is_open_to_others() {
    let (dir, config) = load(&format!(
        "{LEAST}listen = \"0.0.0.0:0\"\n[store]\nengine=\"sled\"\n"
    ));
    let config = config.unwrap();
    let data = dir.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
    let found = config.check();
    let has = |key: &str, part: &str| {
        assert!(
            found.iter().any(|f| f.key == key && f.text.contains(part)),
            "{key}: {part}: {found:?}"
        );
    };
    has("data_dir", "open to others");
    has("data_dir", "not joined");
    has("keys_dir", "does not exist");
    has("keys_dir", "smp-node init");
    has("listen", "port 0");
    has("store.engine", "sled");
    assert!(found.iter().all(|f| !f.next.is_empty()));
    assert!(found.iter().any(|f| f.severity == Severity::Problem));
}

#[test]
fn a_hook_is_looked_at_before_it_is_run() {
    let (dir, config) = load(&format!("{LEAST}\n[events]\nhook = [\"hook\", \"a b\"]\n"));
    let config = config.unwrap();
    let hook = config.hook().unwrap();
    assert_eq!(hook.program, dir.path().join("hook"));
    assert_eq!(hook.arguments, ["a b"]);
    let found = || {
        let found = config.check();
        let of_hook = found.into_iter().filter(|f| f.key == "events.hook");
        of_hook.map(|f| f.text + "; " + &f.next).collect::<Vec<_>>()
    };
    let mode = |mode| {
        fs::set_permissions(&hook.program, fs::Permissions::from_mode(mode)).unwrap();
    };
    assert!(found()[0].contains("cannot look"), "{:?}", found());
    fs::write(&hook.program, "#!/bin/sh\n").unwrap();
    mode(0o600);
    assert!(found()[0].contains("chmod +x"), "{:?}", found());
    mode(0o770);
    assert!(found()[0].contains("chmod go-w"), "{:?}", found());
    mode(0o700);
    assert_eq!(found(), Vec::<String>::new());
    let around = |mode| {
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(mode)).unwrap();
    };
    around(0o770);
    assert!(found()[0].contains("others may replace"), "{:?}", found());
    around(0o700);
    fs::remove_file(&hook.program).unwrap();
    fs::create_dir(&hook.program).unwrap();
    assert!(found()[0].contains("no file"), "{:?}", found());
    let (_dir, none) = load(LEAST);
    assert_eq!(none.unwrap().hook(), None);
    let (_dir, wrong) = load(&format!("{LEAST}\n[events]\nhook = \"/etc/hook\"\n"));
    let wrong = wrong.unwrap_err().to_string();
    assert!(
        wrong.contains("line 6") && wrong.contains("[events] hook"),
        "{wrong}"
    );
}
