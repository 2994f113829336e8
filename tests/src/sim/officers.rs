//! Placement officers: what they decide of cases, and what must hold of all cases together.
//!
//! What stands is asked of the deciders' own books, but whether two bookings are of one place or
//! of one household is judged here, over all councils.

use std::collections::BTreeMap;

use smp_protocol::casework::{CaseView, Ledgers, Remark, Remarks, Stage, Wish, decider_of};
use smp_protocol::document::Unit;
use smp_protocol::ids::{CouncilCode, DocumentKind, DocumentName, RecordId, RecordKind};
use smp_protocol::schema::{self, Edit, Value};
use smp_protocol::time::Day;

use super::edits::create;
use super::node::In;
use super::queue::SECOND;
use super::world::{Event, World};

/// The longest pause of an officer.
const PAUSE: u64 = 9;

impl World {
    /// An officer is at work until the faults stop.
    pub(super) fn officer(&mut self, n: usize) {
        if self.healed.is_some() {
            return;
        }
        let pause = self.chance.between(1, PAUSE) * SECOND;
        self.queue.schedule(self.now + pause, Event::Officer(n));
        if self.chance.one_in(4) {
            self.check_bookings();
        }
        self.decide_something(n);
    }

    /// An officer looks at what there is, and does one thing.
    pub(super) fn decide_something(&mut self, n: usize) {
        let Some(ledgers) = self.ledgers(n) else {
            return;
        };
        if !ledgers.unsure_of().is_empty() && self.chance.one_in(12) {
            self.tally.count("decisions to go on without a council");
            let councils = ledgers.unsure_of().to_vec();
            return self.hand_in(n, In::Without(councils));
        }
        let own = self.nodes[n].council.code;
        let cases: Vec<CaseView> = ledgers.cases(own);
        let wish = match self.chance.pick(&cases).cloned() {
            Some(view) if self.chance.one_in(5) => Some(self.remark(n, own, &view)),
            Some(view) if !self.chance.one_in(3) => self.about(own, &view),
            _ if self.chance.one_in(8) => self.split(n, own),
            _ => self.proposal(n, own),
        };
        match wish {
            Some(wish) => {
                self.tally.count("decisions of officers");
                self.hand_in(n, In::Wish(wish));
            }
            None if self.chance.one_in(2) => self.open_one(n),
            None => {}
        }
    }

    /// Something new in the pool: a place, or a request.
    fn open_one(&mut self, n: usize) {
        let kind = *self
            .chance
            .pick(&[RecordKind::Place, RecordKind::Request])
            .expect("a kind");
        let mut edit = create(self.nodes[n].roster.schema, kind, &mut self.chance);
        let state = schema::field_named(schema::NEWEST, kind, "state").map(|field| field.id);
        if let Edit::Create { fields, .. } = &mut edit {
            for (id, value) in fields {
                if Some(*id) == state {
                    *value = Value::Code(0);
                }
            }
        }
        self.hand_in(n, In::Write(DocumentKind::RematchingPool, vec![edit]));
    }

    /// The casework of a node that takes its council's decisions.
    fn ledgers(&self, n: usize) -> Option<Ledgers> {
        let node = &self.nodes[n];
        let member = node.member.as_ref()?;
        let decides = decider_of(member, node.council.code) == Some(node.id);
        decides.then(|| node.decider.ledgers(member))
    }

    /// Something that may be decided of a case, and now and then what may not.
    fn about(&mut self, own: CouncilCode, view: &CaseView) -> Option<Wish> {
        let case = view.case.proposal;
        let as_host = view.host == own;
        let reason = None;
        let hours = self.chance.between(1, 3);
        let hold = Wish::Hold {
            case,
            place: self.chance.pick(&view.places).copied(),
            hours,
            by_phone: self.chance.one_in(9),
        };
        let arrived = !self.chance.one_in(4);
        let (usual, other) = match as_host {
            true => match view.case.stage {
                Stage::Proposed | Stage::Released => (hold, Wish::Decline { case, reason }),
                Stage::Placed => (
                    Wish::Arrival { case, arrived },
                    Wish::Release { case, reason },
                ),
                _ => (Wish::Release { case, reason }, hold),
            },
            false => match view.case.stage {
                Stage::Held => (Wish::Confirm { case }, Wish::Withdraw { case, reason }),
                _ => (Wish::Withdraw { case, reason }, Wish::Confirm { case }),
            },
        };
        // What stands is left standing for a while.
        if view.case.stage.is_live() && !self.chance.one_in(6) {
            return None;
        }
        Some(if self.chance.one_in(6) { other } else { usual })
    }

    /// Something that is said beside, and now and then what may not.
    fn remark(&mut self, n: usize, own: CouncilCode, view: &CaseView) -> Wish {
        let proposal = view.case.proposal;
        let side = view.side(own);
        let on = Day::of(self.nodes[n].clock(self.now));
        let open = view.remarks.questions.iter().find(|q| q.by != side);
        let offered = view.remarks.transfer.map_or(on, |transfer| transfer.on);
        let remark = match (self.chance.between(0, 4), open) {
            (0, _) => Remark::Ended {
                proposal,
                on,
                reason: None,
            },
            (1, _) => Remark::Transfer {
                proposal,
                on: offered,
            },
            (2, Some(asked)) => Remark::Answer {
                enquiry: asked.enquiry,
                answer: 0,
            },
            (3, _) => Remark::Consent {
                proposal,
                on,
                method: 0,
                given: true,
            },
            _ => Remark::Enquiry {
                proposal,
                question: 0,
            },
        };
        Wish::Say {
            case: proposal,
            remark,
            again: self.chance.one_in(2),
        }
    }

    /// A household parts, where there are two adults.
    fn split(&mut self, n: usize, own: CouncilCode) -> Option<Wish> {
        let request = self
            .chance
            .pick(&self.open_ones(n, own, RecordKind::Request))
            .copied()?;
        let member = self.nodes[n].member.as_ref()?;
        let pool = member.document(DocumentKind::RematchingPool.of(own))?;
        let fields = pool.record(request)?;
        let [people, adults] = ["people", "adults"].map(|name| {
            let field = schema::field_named(schema::NEWEST, request.kind(), name);
            field.map(|field| field.id)
        });
        let (people, adults) = (people?, adults?);
        let number = |id| match fields.get(&id).and_then(|values| values.first()) {
            Some(Value::Integer(n)) => Some(*n),
            _ => None,
        };
        let (all, grown) = (number(people)?, number(adults)?);
        let part = |p, a| {
            let number = |n| Some(Value::Integer(n));
            vec![(people, number(p)), (adults, number(a))]
        };
        let into = vec![part(1, 1), part(all - 1, grown - 1)];
        Some(Wish::Split { request, into })
    }

    /// A request of this council for a place of another.
    fn proposal(&mut self, n: usize, own: CouncilCode) -> Option<Wish> {
        let request = self
            .chance
            .pick(&self.open_ones(n, own, RecordKind::Request))
            .copied()?;
        let councils: Vec<CouncilCode> = self.plan.councils.iter().map(|c| c.code).collect();
        let host = self
            .chance
            .pick(&councils)
            .copied()
            .filter(|host| *host != own)?;
        let mut places = self.open_ones(n, host, RecordKind::Place);
        places.truncate(2);
        (!places.is_empty()).then_some(Wish::Propose { request, places })
    }

    /// The first open places or requests of a council, as a node sees them.
    fn open_ones(&self, n: usize, council: CouncilCode, kind: RecordKind) -> Vec<RecordId> {
        let member = self.nodes[n].member.as_ref();
        let pool = DocumentKind::RematchingPool.of(council);
        let Some(document) = member.and_then(|member| member.document(pool)) else {
            return Vec::new();
        };
        let Some(state) = schema::field_named(schema::NEWEST, kind, "state") else {
            return Vec::new();
        };
        let is_open = |fields: &smp_protocol::document::RecordFields| {
            fields
                .get(&state.id)
                .is_some_and(|is| *is == [Value::Code(0)])
        };
        let records = document.records().filter(|(id, _)| id.kind() == kind);
        let open = records
            .filter(|(_, fields)| is_open(fields))
            .map(|(id, _)| id);
        open.take(4).collect()
    }

    /// Promise 5, where a lock is taken: no other decider may know of a booking of that place that
    /// stands, unless this one knows that it has let go of it. Looked at where nobody went on
    /// without the others.
    pub(super) fn watch_locks(&mut self, n: usize, document: DocumentName, units: &[Unit]) {
        let node = &self.nodes[n];
        if !matches!(document.kind, DocumentKind::Casework(_)) || node.went_on_without {
            return;
        }
        let (host, Some(ledgers)) = (node.council.code, self.ledgers(n)) else {
            return;
        };
        let mine: BTreeMap<RecordId, Stage> =
            ledgers.cases(host).into_iter().map(stage_of).collect();
        for place in units.iter().flat_map(places_held) {
            for other in 0..self.nodes.len() {
                let with = self.nodes[other].council.code;
                let Some(theirs) = self
                    .ledgers(other)
                    .filter(|_| self.nodes[other].is_honest())
                else {
                    continue;
                };
                let stands = theirs.cases(with).into_iter().find(|view| {
                    let case = view.case;
                    let is_of_place = case.hold.is_some_and(|(_, of)| of == place);
                    let known = mine.get(&case.proposal);
                    let let_go = known.is_some_and(|stage| !stage.is_live());
                    view.host == host && is_of_place && case.stage.is_live() && !let_go
                });
                let stands = stands.filter(|view| view.guest == with && with != host);
                if let Some(view) = stands {
                    let case = view.case.proposal;
                    let what = format!("holds {place} while {with} has it by {case}");
                    return self.violate("promise 5", self.told(n, &what));
                }
            }
        }
    }

    /// Promise 5: no place and no request is in two bookings that stand. One stands where its
    /// host's decider says so, unless its guest's knows that it has ended its part.
    pub(super) fn check_bookings(&mut self) {
        let mut books: BTreeMap<CouncilCode, Ledgers> = BTreeMap::new();
        for n in 0..self.nodes.len() {
            if self.nodes[n].is_honest()
                && let Some(ledgers) = self.ledgers(n)
            {
                books.insert(self.nodes[n].council.code, ledgers);
            }
        }
        let mut seen: BTreeMap<RecordId, RecordId> = BTreeMap::new();
        for (host, ledgers) in &books {
            let cases = ledgers.cases(*host).into_iter();
            let live = cases.filter(|view| view.host == *host && view.case.stage.is_live());
            for view in live {
                self.tally.count("bookings looked at");
                let case = view.case;
                let guest = books.get(&view.guest);
                let ended = guest.is_none_or(|guest| {
                    let known = guest.book().case_as_guest(*host, case.proposal);
                    known.is_none_or(|known| matches!(known.stage, Stage::Withdrawn | Stage::Over))
                });
                if ended {
                    continue;
                }
                let place = case.hold.map(|(_, place)| place);
                for locked in [Some(case.request), place].into_iter().flatten() {
                    if let Some(other) = seen.insert(locked, case.proposal) {
                        let proposal = case.proposal;
                        let what = format!("{locked} is in two bookings: {other} and {proposal}");
                        return self.violate("promise 5", what);
                    }
                }
            }
        }
    }

    /// The first case of which two honest deciders that hold the same see different things.
    pub(super) fn disagreement_on_cases(&self, members: &[usize]) -> Option<String> {
        let disputed = self.in_dispute();
        let books: Vec<(usize, Ledgers)> = members
            .iter()
            .filter_map(|n| Some((*n, self.ledgers(*n)?)))
            .collect();
        for (at, (a, of_a)) in books.iter().enumerate() {
            for (b, of_b) in books.iter().skip(at + 1) {
                let (one, other) = (self.nodes[*a].council.code, self.nodes[*b].council.code);
                let documents = [(one, other), (other, one)];
                let documents = documents.map(|(by, with)| DocumentKind::Casework(with).of(by));
                let apart = self.is_blocked(*a, *b) || self.is_blocked(*b, *a);
                if apart || documents.iter().any(|document| disputed.contains(document)) {
                    continue;
                }
                let mine = stages(of_a, one, other);
                let theirs = stages(of_b, other, one);
                if mine != theirs {
                    return Some(format!("{one} sees {mine:?}, {other} sees {theirs:?}"));
                }
            }
        }
        None
    }
}

fn stage_of(view: CaseView) -> (RecordId, Stage) {
    (view.case.proposal, view.case.stage)
}

/// The places that holds of a unit lock.
fn places_held(unit: &Unit) -> Vec<RecordId> {
    let Some(field) = schema::field_named(schema::NEWEST, RecordKind::Hold, "place") else {
        return Vec::new();
    };
    let edits = unit
        .steps
        .iter()
        .filter_map(|step| step.decode_edits().ok());
    let holds = edits
        .flatten()
        .filter(|edit| edit.record().kind() == RecordKind::Hold);
    let fields = holds.filter_map(|edit| match edit {
        Edit::Create { fields, .. } => Some(fields),
        Edit::Update { .. } => None,
    });
    let places = fields.flatten().filter_map(|(id, value)| match value {
        Value::Record(place) if id == field.id => Some(place),
        _ => None,
    });
    places.collect()
}

/// What the cases between two councils have come to, as one of them sees it.
fn stages(
    ledgers: &Ledgers,
    own: CouncilCode,
    with: CouncilCode,
) -> BTreeMap<RecordId, (Stage, Remarks)> {
    let cases = ledgers.cases(own).into_iter();
    let between = cases.filter(|view| view.guest == with || view.host == with);
    between
        .map(|view| (view.case.proposal, (view.case.stage, view.remarks)))
        .collect()
}
