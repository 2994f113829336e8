//! What is composed here is held against what automerge's own transactions make of it.

use std::collections::HashMap;

use automerge::transaction::{CommitOptions, Transactable};
use automerge::{Automerge, Change, ChangeHash, ObjId, ROOT, ReadDoc, Value as Held, hydrate};
use proptest::prelude::*;

use super::composer::Composer;
use super::scalar::to_scalar;
use super::{Replica, actor, heads_of};
use crate::document::admission_tests::fixture::{key, place, record};
use crate::document::chain::Clock;
use crate::document::convergence_tests::edit;
use crate::document::entry::ChainId;
use crate::ids::Incarnation;
use crate::limits;
use crate::schema::{self, Edit, FieldId};

const AUTHORS: usize = 3;

#[derive(Clone, Debug)]
enum Happening {
    Write { author: usize, edits: Vec<Edit> },
    Hear { author: usize, from: usize },
    Settle,
    PutAway,
}

fn happening() -> impl Strategy<Value = Happening> {
    let author = 0..AUTHORS;
    let write = (author.clone(), prop::collection::vec(edit(), 1..6))
        .prop_map(|(author, edits)| Happening::Write { author, edits });
    let hear = (author.clone(), author).prop_map(|(author, from)| Happening::Hear { author, from });
    prop_oneof![
        6 => write,
        3 => hear,
        1 => Just(Happening::Settle),
        1 => Just(Happening::PutAway),
    ]
}

fn chain(author: usize) -> ChainId {
    ChainId {
        node: key(u8::try_from(author).unwrap()).node_id(),
        incarnation: Incarnation([1; 8]),
    }
}

/// The slow way: a document made anew for each entry, of just its past, and a transaction.
#[derive(Default)]
struct Transactions {
    made: Vec<(ChainId, Option<Change>)>,
}

impl Transactions {
    fn document(&self, past: &Clock) -> Automerge {
        let mut doc = Composer::new().unwrap().doc().clone();
        let mut seen: HashMap<ChainId, u64> = HashMap::new();
        for (chain, change) in &self.made {
            let seen = seen.entry(*chain).or_default();
            if *seen < past.get(chain).copied().unwrap_or(0) {
                *seen += 1;
                doc.apply_changes(change.clone()).unwrap();
            }
        }
        doc
    }

    fn execute(&mut self, chain: ChainId, past: &Clock, edits: &[Edit]) -> Option<ChangeHash> {
        let mut doc = self.document(past);
        doc.set_actor(actor(&place(), chain));
        let hash = transact(&mut doc, edits);
        let change = hash.and_then(|hash| doc.get_change_by_hash(&hash));
        self.made.push((chain, change));
        hash
    }
}

fn transact(doc: &mut Automerge, edits: &[Edit]) -> Option<ChangeHash> {
    let mut transaction = doc.transaction();
    let (_, records) = transaction.get(ROOT, "records").unwrap().unwrap();
    for edit in edits {
        let key = edit.record().to_string();
        let name = |id| {
            let kind = edit.record().kind();
            schema::field(schema::NEWEST, kind, id).unwrap().name
        };
        let existing = transaction.get(&records, key.as_str()).unwrap();
        match (edit, existing) {
            (Edit::Create { fields, .. }, None) => {
                let scalar = |value| hydrate::Value::Scalar(to_scalar(value));
                let fields = fields.iter();
                let map: HashMap<String, hydrate::Value> = fields
                    .map(|(id, value)| (name(*id).to_owned(), scalar(value)))
                    .collect();
                let map = hydrate::Value::Map(map.into());
                let made = transaction.batch_create_object(&records, key, &map, false);
                made.unwrap();
            }
            (Edit::Update { fields, .. }, Some((_, object))) => {
                for (id, value) in fields {
                    set(&mut transaction, &object, name(*id), value.as_ref());
                }
            }
            _ => {}
        }
    }
    let options = CommitOptions::default().with_time(0);
    transaction.commit_with(options).0
}

fn set<T: Transactable>(to: &mut T, object: &ObjId, name: &str, value: Option<&schema::Value>) {
    let held = to.get_all(object, name).unwrap();
    match value.map(to_scalar) {
        None if held.is_empty() => {}
        None => to.delete(object, name).unwrap(),
        Some(value) => {
            let same = matches!(held.as_slice(), [(Held::Scalar(only), _)] if **only == value);
            if !same {
                to.put(object, name, value).unwrap();
            }
        }
    }
}

/// So many entries of one author after another's one: on a branch, or after everything.
fn long_run(on_branch: bool, settle_each: bool) -> Replica {
    let create = Edit::Create {
        record: record(1),
        fields: vec![(FieldId(1), schema::Value::Integer(1))],
    };
    let mut replica = Replica::new().unwrap();
    let (mut clock, first) = (Clock::new(), std::slice::from_ref(&create));
    replica.execute(&place(), chain(0), &clock, first).unwrap();
    clock.insert(chain(0), 1);
    let update = |rooms| Edit::Update {
        record: record(1),
        fields: vec![(FieldId(1), Some(schema::Value::Integer(rooms)))],
    };
    if on_branch {
        replica
            .execute(&place(), chain(1), &clock, &[update(9)])
            .unwrap();
    }
    let mut most = 0;
    for n in 0..limits::WAITING_CHANGES as u64 + 10 {
        clock.insert(chain(0), n + 1);
        let rooms = i64::try_from(n % 5).unwrap() + 1;
        replica
            .execute(&place(), chain(0), &clock, &[update(rooms)])
            .unwrap();
        if settle_each {
            replica.settle().unwrap();
        }
        most = most.max(replica.main.waiting());
    }
    assert!(most <= limits::WAITING_CHANGES, "{most} changes wait");
    replica.settle().unwrap();
    replica
}

#[test]
fn a_long_run_of_entries_waits_within_the_limit_and_comes_to_the_same() {
    for on_branch in [false, true] {
        let (together, one_by_one) = (long_run(on_branch, false), long_run(on_branch, true));
        assert_eq!(together.changes, one_by_one.changes);
        assert_eq!(together.heads(), one_by_one.heads());
    }
}

proptest! {
    #[test]
    fn a_composed_change_is_the_one_that_a_transaction_makes(
        history in prop::collection::vec(happening(), 1..60)
    ) {
        let mut replica = Replica::new().unwrap();
        let mut slow = Transactions::default();
        let mut clocks = vec![Clock::new(); AUTHORS];
        let mut order = Vec::new();
        for happening in history {
            match happening {
                Happening::Write { author, edits } => {
                    let (chain, past) = (chain(author), clocks[author].clone());
                    replica.execute(&place(), chain, &past, &edits).unwrap();
                    let change = slow.execute(chain, &past, &edits);
                    prop_assert_eq!(replica.changes.last().copied().unwrap(), change);
                    *clocks[author].entry(chain).or_default() += 1;
                    order.push(chain);
                }
                Happening::Hear { author, from } => {
                    for (chain, entries) in clocks[from].clone() {
                        let known = clocks[author].entry(chain).or_default();
                        *known = entries.max(*known);
                    }
                }
                Happening::Settle => replica.settle().unwrap(),
                Happening::PutAway => {
                    replica.settle().unwrap();
                    replica = Replica::unpack(&replica.pack(), order.iter().copied()).unwrap();
                }
            }
        }
        replica.settle().unwrap();
        let everything = order.iter().fold(Clock::new(), |mut all, chain| {
            *all.entry(*chain).or_default() += 1;
            all
        });
        prop_assert_eq!(replica.heads(), heads_of(&slow.document(&everything)));
    }
}
