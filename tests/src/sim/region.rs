//! The region that is simulated: real councils, made-up keys, and rosters that a real
//! authority key signs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use smp_protocol::codec::{self, Blob};
use smp_protocol::crypto::{Signing, Tag};
use smp_protocol::ids::{CouncilCode, DocumentKind, DocumentName, Hash, NodeId, RegionName};
use smp_protocol::roster::{
    Cut, Member, MemberNode, NamedReaders, Roster, SealingKey, SignedRoster, VerifiedRoster,
};
use smp_protocol::schema::SchemaVersion;
use smp_protocol::time::UnixSeconds;

use super::build;
use super::chance::Chance;

/// When every simulation begins.
pub(crate) const START: UnixSeconds = UnixSeconds(1_780_000_000);

/// How long a roster holds: longer than any clock fault that is not meant to expire it.
const VALID_SECONDS: u64 = 300 * 86_400;

/// A council with what it had to do in the first years.
#[derive(Clone, Debug)]
pub(crate) struct Council {
    pub(crate) code: CouncilCode,
    pub(crate) name: String,
    /// People who arrived under Homes for Ukraine: how busy it is.
    pub(crate) arrivals: u64,
}

/// Every council, by region. The figures are published (node/data/README.md).
static COUNCILS: LazyLock<BTreeMap<String, Vec<Council>>> = LazyLock::new(|| {
    let table = include_bytes!("../../../node/data/councils.csv");
    let mut regions: BTreeMap<String, Vec<Council>> = BTreeMap::new();
    for row in csv::Reader::from_reader(&table[..]).records() {
        let row = row.expect("councils.csv is a table");
        let council = Council {
            code: row[0].parse().expect("a GSS code"),
            name: row[1].to_owned(),
            // Where the figure is suppressed it is a few.
            arrivals: row[11].parse().unwrap_or(2).max(1),
        };
        regions.entry(row[5].to_owned()).or_default().push(council);
    }
    regions
});

/// Draws a region and some of its councils, ascending by code.
pub(crate) fn some_councils(chance: &mut Chance, count: usize) -> Vec<Council> {
    let regions: Vec<&Vec<Council>> = COUNCILS.values().filter(|c| c.len() >= count).collect();
    let mut drawn = (*chance.pick(&regions).expect("a region")).clone();
    chance.shuffle(&mut drawn);
    drawn.truncate(count);
    drawn.sort_by_key(|council| council.code);
    drawn
}

/// Every council there is, ascending by code.
pub(crate) fn all_councils() -> Vec<Council> {
    let mut all: Vec<Council> = COUNCILS.values().flatten().cloned().collect();
    all.sort_by_key(|council| council.code);
    all.dedup_by_key(|council| council.code);
    all
}

/// The region's name.
pub(crate) fn region() -> RegionName {
    "simulated".parse().expect("a region's name")
}

/// A node's keys.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) signing: Signing,
    pub(crate) tls: Hash,
}

impl Keys {
    pub(crate) fn draw(chance: &mut Chance) -> Self {
        Self {
            signing: Signing::from_seed(&chance.bytes()),
            tls: Hash(chance.bytes()),
        }
    }
}

/// The region's admin with the authority's key.
pub(crate) struct Authority {
    key: Signing,
    members: BTreeMap<CouncilCode, (String, Vec<Keys>)>,
    readers: BTreeMap<DocumentName, BTreeSet<CouncilCode>>,
    expelled: BTreeSet<CouncilCode>,
    cuts: BTreeMap<(DocumentName, NodeId), Cut>,
    /// What records are to be written in.
    pub(super) schema: SchemaVersion,
    version: u64,
    previous: Hash,
}

impl Authority {
    pub(crate) fn new(chance: &mut Chance) -> Self {
        Self {
            key: Signing::from_seed(&chance.bytes()),
            members: BTreeMap::new(),
            readers: BTreeMap::new(),
            expelled: BTreeSet::new(),
            cuts: BTreeMap::new(),
            schema: build::OLD,
            version: 0,
            previous: Hash([0; 32]),
        }
    }

    pub(crate) fn enrol(&mut self, council: &Council, keys: Keys) {
        let (_, nodes) = self
            .members
            .entry(council.code)
            .or_insert_with(|| (council.name.clone(), Vec::new()));
        nodes.push(keys);
        nodes.sort_by_key(|keys| keys.signing.node_id());
    }

    /// Takes a council out, with all that names it.
    pub(crate) fn expel(&mut self, council: CouncilCode) {
        self.members.remove(&council);
        self.expelled.insert(council);
        self.readers.remove(&DocumentKind::HostRegister.of(council));
        for readers in self.readers.values_mut() {
            readers.remove(&council);
        }
    }

    /// Whether a council was taken out: it does not come back.
    pub(crate) fn has_expelled(&self, council: CouncilCode) -> bool {
        self.expelled.contains(&council)
    }

    pub(crate) fn is_member(&self, council: CouncilCode) -> bool {
        self.members.contains_key(&council)
    }

    pub(crate) fn members(&self) -> Vec<CouncilCode> {
        self.members.keys().copied().collect()
    }

    /// Names, or no longer names, a reader of a council's register.
    pub(crate) fn name_reader(&mut self, owner: CouncilCode, reader: CouncilCode, named: bool) {
        let register = DocumentKind::HostRegister.of(owner);
        let readers = self.readers.entry(register).or_default();
        if named && owner != reader {
            readers.insert(reader);
        } else {
            readers.remove(&reader);
        }
    }

    /// Ends a key in a document, for good.
    pub(crate) fn cut(&mut self, cut: Cut) {
        self.cuts.insert((cut.document, cut.node), cut);
    }

    pub(crate) fn has_cut(&self, document: DocumentName, node: NodeId) -> bool {
        self.cuts.contains_key(&(document, node))
    }

    /// The newest version.
    pub(crate) fn newest(&self) -> u64 {
        self.version
    }

    /// Signs the next version, `ahead` versions beyond the newest.
    pub(crate) fn issue(&mut self, now: UnixSeconds, ahead: u64) -> SignedRoster {
        let signed = self.draft(now, self.version + ahead, "as issued");
        self.version += ahead;
        self.previous = self.verify(&signed).hash();
        signed
    }

    /// Signs another roster of the newest version: what must not happen, and may.
    pub(crate) fn issue_twin(&mut self, now: UnixSeconds) -> SignedRoster {
        self.draft(now, self.version, "issued twice")
    }

    /// Signs a roster so far ahead that nobody may take it, and forgets it.
    pub(crate) fn issue_far_ahead(&self, now: UnixSeconds) -> SignedRoster {
        self.draft(now, self.version + 100_000, "far ahead")
    }

    fn draft(&self, now: UnixSeconds, version: u64, title: &str) -> SignedRoster {
        let named = self
            .readers
            .iter()
            .filter(|(_, councils)| !councils.is_empty());
        let roster = Roster {
            region: region(),
            title: format!("A simulated region, {title}"),
            version,
            previous: if version == 1 {
                Hash([0; 32])
            } else {
                self.previous
            },
            issued: now,
            expires: now.plus(VALID_SECONDS),
            authority: self.key.public(),
            ca: Hash([9; 32]),
            schema: self.schema,
            members: self.members.iter().map(member).collect(),
            readers: named
                .map(|(document, councils)| NamedReaders {
                    document: *document,
                    councils: councils.iter().copied().collect(),
                })
                .collect(),
            cuts: self.cuts.values().cloned().collect(),
            targets: Vec::new(),
        };
        let bytes = codec::encode(&roster);
        let signature = self.key.sign(Tag::Roster, &bytes);
        SignedRoster {
            bytes: Blob(bytes),
            signature,
        }
    }

    /// Believes what this authority signed.
    pub(crate) fn verify(&self, signed: &SignedRoster) -> VerifiedRoster {
        let verified = signed.clone().verify(&region(), &self.key.public());
        verified.expect("the authority signs rosters that are well formed")
    }
}

fn member((council, (name, nodes)): (&CouncilCode, &(String, Vec<Keys>))) -> Member {
    Member {
        council: *council,
        name: name.clone(),
        nodes: nodes
            .iter()
            .enumerate()
            .map(|(place, keys)| MemberNode {
                id: keys.signing.node_id(),
                signing: keys.signing.public(),
                tls: keys.tls,
                sealing: SealingKey::try_from(vec![0; SealingKey::BYTES]).expect("1216 bytes"),
                endpoints: vec!["127.0.0.1:7400".to_owned()],
                decider: place == 0,
            })
            .collect(),
    }
}
