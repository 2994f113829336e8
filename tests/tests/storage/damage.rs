//! Files damaged at rest: set aside, what can be read is kept, the rest is fetched back.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use system_tests::harness::wait::AGREEMENT;
use system_tests::harness::{Node, Random, until};

use super::{A, B, HOSTS, advice, ids, names, region, store_of, write_place};

/// What happens to the file.
#[derive(Debug, Clone, Copy)]
enum Damage {
    /// So many bytes are changed, anywhere.
    Flips(usize),
    /// So many stretches of a page's size are nothing but zeros.
    Holes(u64),
    /// It ends too early.
    Cut,
    /// Its first bytes are not those of a store.
    Head,
}

const DAMAGES: [Damage; 8] = [
    Damage::Flips(1),
    Damage::Flips(30),
    Damage::Flips(3000),
    Damage::Holes(1),
    Damage::Holes(12),
    Damage::Cut,
    Damage::Head,
    Damage::Flips(300),
];

/// A damage after which nothing can be read.
fn is_total(damage: Damage) -> bool {
    matches!(damage, Damage::Cut | Damage::Head)
}

fn damage(bytes: &mut Vec<u8>, damage: Damage, random: &mut Random) {
    let mut at = |end: usize| usize::try_from(random.below(end as u64)).unwrap();
    match damage {
        Damage::Flips(count) => {
            for _ in 0..count {
                let place = at(bytes.len());
                bytes[place] ^= 1 << at(8);
            }
        }
        Damage::Holes(count) => {
            for _ in 0..count {
                let place = at(bytes.len() / 4096) * 4096;
                bytes[place..place + 4096].fill(0);
            }
        }
        Damage::Cut => bytes.truncate(bytes.len() / 3),
        Damage::Head => bytes[..64].fill(0xaa),
    }
}

fn set_aside(node: &Node) -> Vec<PathBuf> {
    let files = fs::read_dir(node.dir.join("data")).unwrap();
    let files = files.map(|file| file.unwrap().path());
    files
        .filter(|path| path.to_string_lossy().contains("store.damaged-"))
        .collect()
}

#[test]
fn a_damaged_store_is_set_aside_and_what_it_lacks_comes_back() {
    let seed = Random::seed("STORAGE_SEED");
    eprintln!("STORAGE_SEED={seed}");
    let mut random = Random::new(seed);
    let mut region = region();
    let mut places = ids(&region[A], "place", A);
    let names_before = names(&region[A]);
    assert_eq!(names_before.len(), HOSTS);
    let mut found = 0;
    for kind in DAMAGES {
        region[A].stop();
        let path = store_of(&region[A]);
        let whole = fs::read(&path).unwrap();
        let mut bytes = whole.clone();
        damage(&mut bytes, kind, &mut random);
        fs::write(&path, &bytes).unwrap();
        region[A].start();

        // Nothing of what others hold is lacking for long, whatever was damaged.
        region.wait_agreed(AGREEMENT);
        assert_eq!(ids(&region[A], "place", A), places, "{kind:?}");
        assert_eq!(ids(&region[B], "place", A), places, "{kind:?}");
        assert_eq!(ids(&region[A], "host", A).len(), HOSTS, "{kind:?}");
        // What the vault gives out is what was in it.
        let names = names(&region[A]);
        for (id, name) in &names {
            assert_eq!(Some(name), names_before.get(id), "{kind:?}");
        }
        let files = set_aside(&region[A]);
        eprintln!("{kind:?}: {} set aside, {} names", files.len(), names.len());
        found += files.len();
        tells(&region[A], &files, &bytes, &names, kind);
        // It writes on, and others take it.
        places.push(write_place(&region[A]));
        places.sort();
        region.wait_agreed(AGREEMENT);

        // The next damage meets a whole vault again.
        region[A].stop();
        if names.len() < HOSTS {
            fs::write(&path, &whole).unwrap();
        }
        files.iter().for_each(|file| fs::remove_file(file).unwrap());
        region[A].start();
        region.wait_agreed(AGREEMENT);
    }
    assert!(
        found >= 3,
        "of {} damages {found} were noticed",
        DAMAGES.len()
    );
}

/// The damaged file is kept as it was, and status names it and what to do.
fn tells(
    node: &Node,
    files: &[PathBuf],
    damaged: &[u8],
    names: &BTreeMap<String, String>,
    kind: Damage,
) {
    let said = advice(node);
    if is_total(kind) {
        assert_eq!(files.len(), 1, "{kind:?}: {said}");
    }
    let Some(file) = files.first() else {
        // Nobody uses what was hit.
        assert_eq!(names.len(), HOSTS, "{kind:?}: {said}");
        assert!(!said.contains("set aside"), "{kind:?}: {said}");
        return;
    };
    assert_eq!(fs::read(file).unwrap(), damaged, "{kind:?}");
    for part in [file.to_str().unwrap(), "set aside", "smp hosts import"] {
        assert!(said.contains(part), "{kind:?}: no {part} in {said}");
    }
    let kept = file.with_extension("away");
    fs::rename(file, &kept).unwrap();
    let said = || match advice(node) {
        said if said.contains("set aside") => Err(said),
        _ => Ok(()),
    };
    until(AGREEMENT, "status forgets what was removed", said);
    fs::rename(&kept, file).unwrap();
}
