//! A council's decider: what its officers decide, and what its node does by itself.
//!
//! Everything that follows from one decision is one write, on disk together or not at all:
//! the casework with each counterpart, and the states in the pool that show it. It must never
//! end a lock of another council, nor take one while a counterpart may know of another.

use std::collections::{BTreeMap, BTreeSet};

use super::ledgers::{Ledger, Ledgers, decider_of, is_own};
use super::record::{self, Written, kind_of};
use super::remark::{self, Noted, Remark};
use super::wish::{DecideError, Extras, Facts, Wish, decided};
use super::{Book, Fact, Refusal, Side, Stage, pool, settled};
use crate::ids::{CouncilCode, DocumentKind, DocumentName, Hash, RecordId, RecordKind};
use crate::limits;
use crate::schema::Edit;
use crate::session::{Durable, Member, Receipt, WriteError};
use crate::time::{Day, UnixSeconds};

/// See the module's documentation. One for each process.
#[derive(Debug, Default)]
pub struct Decider {
    /// Counterparts that an officer decided to go on without.
    without: BTreeSet<CouncilCode>,
    /// Whether an exclusive decision is to be taken, so that answers are needed.
    wanted: bool,
    /// What was there when last nothing was left to do, and when time alone will change that.
    done_with: Option<(Reaches, UnixSeconds)>,
}

/// What was decided is written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Done {
    /// The case; of a split, the request.
    pub case: RecordId,
    /// Requests that were made by it.
    pub created: Vec<RecordId>,
    /// Where the writes ended up.
    pub receipts: Vec<Receipt>,
}

/// The roster's version, and how far each document goes.
type Reaches = (u64, Vec<(DocumentName, Hash)>);

impl Decider {
    /// A decider that has asked nobody yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether something that is being stored may be for a decider to answer or follow up.
    pub fn is_moved_by(durable: &Durable) -> bool {
        match durable {
            Durable::Batch { document, .. } | Durable::Rewritten { document, .. } => {
                matches!(document.kind, DocumentKind::Casework(_))
            }
            Durable::Roster(_) => true,
            _ => false,
        }
    }

    /// What this council's casework comes to.
    pub fn ledgers(&self, member: &Member) -> Ledgers {
        let mut ledgers = Ledgers::of(member);
        ledgers
            .unsure_of
            .retain(|with| !self.without.contains(with));
        ledgers.book.unsure_of = ledgers.unsure_of.iter().copied().collect();
        ledgers
    }

    /// Goes on without what these councils know, until this process ends. It is written down in
    /// the casework with each, where it sees it when it is back.
    ///
    /// # Errors
    /// [`WriteError`]; nothing was changed.
    pub fn go_on_without(
        &mut self,
        member: &mut Member,
        councils: &[CouncilCode],
        now: UnixSeconds,
    ) -> Result<(), WriteError> {
        let ledgers = self.ledgers(member);
        let unsure = ledgers.by_counterpart.iter();
        let named =
            unsure.filter(|(with, _)| councils.contains(with) && ledgers.unsure_of.contains(with));
        let mut edits = Vec::new();
        for (with, ledger) in named {
            let opening = opening(member, *with, ledger, true, now);
            edits.push((DocumentKind::Casework(*with), vec![opening]));
        }
        member.write(&edits, now)?;
        let named = councils
            .iter()
            .filter(|with| ledgers.unsure_of.contains(with));
        self.without.extend(named);
        self.done_with = None;
        Ok(())
    }

    /// Carries out what an officer decided.
    ///
    /// # Errors
    /// [`DecideError`]; nothing was changed. After [`DecideError::Unsure`] the councils named
    /// are being asked, and the same may be wished again.
    pub fn decide(
        &mut self,
        member: &mut Member,
        wish: &Wish,
        now: UnixSeconds,
    ) -> Result<Done, DecideError> {
        let own = member.identity().council;
        let decider = decider_of(member, own);
        if decider != Some(member.node()) {
            return Err(DecideError::NotDecider(decider));
        }
        let ledgers = self.ledgers(member);
        let decided = match decided(member, &ledgers, wish, now) {
            Err(DecideError::Refused(Refusal::Unsure)) => {
                self.wanted = true;
                self.done_with = None;
                self.tend(member, now);
                return Err(DecideError::Unsure(ledgers.unsure_of));
            }
            other => other?,
        };
        let mut parts = ByCounterpart::new();
        for (with, fact) in decided.facts {
            let written = written(member, fact, decided.extras, now);
            parts.entry(with).or_default().facts.push(written);
        }
        for (with, remark) in decided.remarks {
            let noted = noted(member, remark, now);
            parts.entry(with).or_default().edits.push(noted);
        }
        let creates = |edit: &Edit| matches!(edit, Edit::Create { .. }).then(|| edit.record());
        let created = decided.pool.iter().filter_map(creates).collect();
        let mut book = ledgers.book.clone();
        let receipts = write(member, &ledgers, &mut book, parts, decided.pool, now)?;
        Ok(Done {
            case: decided.case,
            created,
            receipts,
        })
    }

    /// Tells the councils for which a place is locked that a check of its host has failed or run
    /// out, or does no more; `stopped` says of which places it is so now, and of which it is not. Of
    /// a place that is not among them this node cannot know, and says nothing. Returns how many
    /// councils it told, and why not others: one with which nothing can be written holds up nobody
    /// else.
    pub fn raise_concerns(
        &mut self,
        member: &mut Member,
        stopped: &BTreeMap<RecordId, bool>,
        now: UnixSeconds,
    ) -> (usize, Vec<(CouncilCode, WriteError)>) {
        let own = member.identity().council;
        let ledgers = self.ledgers(member);
        let mut parts = ByCounterpart::new();
        for view in ledgers.cases(own).iter().filter(|view| view.host == own) {
            let Some((hold, place)) = view.case.hold else {
                continue;
            };
            let Some(stands) = stopped.get(&place).copied() else {
                continue;
            };
            let remark = Remark::Concern { hold, stands };
            let today = Day::of(now);
            let fits = remark::check(&remark, Side::Host, view.case.stage, &view.remarks, today);
            let said = ledgers.concerns_of(view.guest, hold);
            let is_news = stands != view.remarks.concern.is_some();
            if fits.is_ok() && is_news && said < limits::CONCERNS_OF_HOLD {
                let edit = noted(member, remark, now);
                let part: &mut Part = parts.entry(view.guest).or_default();
                part.edits.push(edit);
            }
        }
        let mut book = ledgers.book.clone();
        let (mut told, mut failed) = (0, Vec::new());
        for (with, part) in parts {
            let part = ByCounterpart::from([(with, part)]);
            match write(member, &ledgers, &mut book, part, Vec::new(), now) {
                Ok(_) => told += 1,
                Err(error) => failed.push((with, error)),
            }
        }
        (told, failed)
    }

    /// What the node does by itself: answers openings, places what was confirmed, lets go of
    /// what nobody confirmed in time, and shows in the pool how things stand. To be called after
    /// anything came in, and as time passes. Returns how many writes that took.
    pub fn tend(&mut self, member: &mut Member, now: UnixSeconds) -> usize {
        let own = member.identity().council;
        if decider_of(member, own) != Some(member.node()) {
            return 0;
        }
        let is_done =
            |done: &(Reaches, UnixSeconds)| now < done.1 && done.0 == member.casework_reaches();
        if self.done_with.as_ref().is_some_and(is_done) {
            return 0;
        }
        let mut writes = 0;
        for _ in 0..limits::TENDING_ROUNDS {
            let (wrote, next_hold) = self.follow_up(member, now);
            writes += wrote;
            if wrote == 0 {
                self.done_with = Some((member.casework_reaches(), next_hold));
                break;
            }
        }
        writes
    }

    /// What follows now, in a write for each counterpart: one with which nothing can be written,
    /// because a key is cut there or its document is full, holds up nobody else. It is tried again
    /// when something moves. Returns how many writes that took, and when the next hold is over.
    fn follow_up(&mut self, member: &mut Member, now: UnixSeconds) -> (usize, UnixSeconds) {
        let ledgers = self.ledgers(member);
        let mut book = ledgers.book.clone();
        let (mut due, extras) = due(&ledgers, now);
        self.wanted |= to_place(&book).next().is_some();
        self.wanted &= !ledgers.unsure_of.is_empty();
        let mut writes = 0;
        for (with, ledger) in &ledgers.by_counterpart {
            let mut part = Part::default();
            let asks = self.wanted && ledgers.unsure_of.contains(with);
            if asks && needs_opening(member, *with, ledger) {
                part.edits.push(opening(member, *with, ledger, false, now));
            }
            part.edits.extend(answer(member, *with, ledger, now));
            for fact in due.remove(with).unwrap_or_default() {
                part.facts.push(written(member, fact, extras, now));
            }
            if !part.is_empty() {
                let parts = ByCounterpart::from([(*with, part)]);
                let written = write(member, &ledgers, &mut book, parts, Vec::new(), now);
                writes += usize::from(written.is_ok());
            }
        }
        if writes == 0 {
            let shown = write(
                member,
                &ledgers,
                &mut book,
                ByCounterpart::new(),
                Vec::new(),
                now,
            );
            writes += shown.map_or(0, |receipts| receipts.len());
        }
        (writes, next_hold(&ledgers, now))
    }
}

/// The facts that follow from what is known, without anybody's decision.
fn due(
    ledgers: &Ledgers,
    now: UnixSeconds,
) -> (BTreeMap<CouncilCode, Vec<Fact<RecordId>>>, Extras) {
    let book = &ledgers.book;
    let mut facts = Facts::new();
    let mut extras = Extras::default();
    if ledgers.unsure_of.is_empty() {
        facts.extend(book.repairs());
        for (guest, proposal) in to_place(book) {
            facts.extend(book.place(guest, proposal).unwrap_or_default());
        }
    }
    if facts.is_empty() {
        facts = run_out(ledgers, now);
        extras = Extras::reason(Some(TIME_RAN_OUT));
    }
    let mut due: BTreeMap<CouncilCode, Vec<Fact<RecordId>>> = BTreeMap::new();
    for (with, fact) in facts {
        due.entry(with).or_default().push(fact);
    }
    (due, extras)
}

/// Releases of the holds that nobody confirmed in their time.
fn run_out(ledgers: &Ledgers, now: UnixSeconds) -> Facts {
    let mut releases = Facts::new();
    for (guest, ledger) in &ledgers.by_counterpart {
        let over = |w: &&Written| w.until.is_some_and(|until| until <= now);
        let over = ledger.mine.written.iter().filter(over);
        let over: BTreeSet<RecordId> = over.map(|w| w.record).collect();
        if over.is_empty() {
            continue;
        }
        for case in ledgers.book.cases_as_host(*guest) {
            let hold = case.hold.map(|(hold, _)| hold);
            let hold = hold.filter(|hold| over.contains(hold));
            if let (Stage::Held, Some(hold)) = (case.stage, hold) {
                let released = ledgers.book.release(*guest, hold);
                releases.extend(released.unwrap_or_default());
            }
        }
    }
    releases
}

/// The place of `time_ran_out` among the reasons.
pub(super) const TIME_RAN_OUT: u8 = 0;

/// What is to be written for one counterpart: an opening or an answer, and facts.
#[derive(Default)]
struct Part {
    edits: Vec<Edit>,
    facts: Vec<Written>,
}

impl Part {
    fn is_empty(&self) -> bool {
        self.edits.is_empty() && self.facts.is_empty()
    }
}

type ByCounterpart = BTreeMap<CouncilCode, Part>;

/// The cases that wait for this node's placement.
fn to_place(book: &Book<CouncilCode, RecordId>) -> impl Iterator<Item = (CouncilCode, RecordId)> {
    book.theirs.keys().flat_map(|guest| {
        let cases = book.cases_as_host(*guest).into_iter();
        let waiting = cases.filter(|case| case.stage == Stage::Confirmed);
        waiting.map(|case| (*guest, case.proposal))
    })
}

/// When the time of the next hold of this council is up.
fn next_hold(ledgers: &Ledgers, now: UnixSeconds) -> UnixSeconds {
    let written = ledgers.by_counterpart.values();
    let untils = written.flat_map(|ledger| ledger.mine.written.iter().filter_map(|w| w.until));
    let later = untils.filter(|until| *until > now).min();
    later.unwrap_or(UnixSeconds::MAX)
}

/// A fact as a record.
fn written(member: &mut Member, fact: Fact<RecordId>, extras: Extras, now: UnixSeconds) -> Written {
    let record = match &fact {
        Fact::Proposal { proposal, .. } => *proposal,
        Fact::Hold { hold, .. } => *hold,
        other => member.draw_record(kind_of(other)),
    };
    Written {
        record,
        at: now,
        until: extras.until.filter(|_| matches!(fact, Fact::Hold { .. })),
        agreed_by_phone: extras.by_phone,
        reason: extras.reason,
        fact,
    }
}

/// A remark as an edit.
fn noted(member: &mut Member, remark: Remark, now: UnixSeconds) -> Edit {
    let record = member.draw_record(remark.kind());
    remark::edit(&Noted {
        record,
        at: now,
        remark,
    })
}

/// Whether this process has to begin before it writes anything else for a counterpart.
fn needs_opening(member: &Member, with: CouncilCode, ledger: &Ledger) -> bool {
    !is_own(member, with, &ledger.mine)
}

/// Where another node has gone on from this process's own chain, which happens when the decider
/// moves away and back, this process begins another.
fn opening(
    member: &mut Member,
    with: CouncilCode,
    ledger: &Ledger,
    without_answer: bool,
    now: UnixSeconds,
) -> Edit {
    let document = DocumentKind::Casework(with).of(member.identity().council);
    let own = member.own_chain(document);
    if own.is_some_and(|own| ledger.mine.passed.contains(&own)) {
        member.begin_chain(document);
    }
    let previous = ledger.mine.tip.as_ref().map(|tip| tip.record);
    let record = member.draw_record(RecordKind::Opening);
    record::opening(record, now, previous, without_answer)
}

/// The answer to an opening of which all is held here that was written before.
fn answer(
    member: &mut Member,
    with: CouncilCode,
    ledger: &Ledger,
    now: UnixSeconds,
) -> Option<Edit> {
    let tip = ledger.theirs.tip.as_ref()?;
    let is_theirs = decider_of(member, with) == Some(tip.chain.node);
    if ledger.theirs.answered_by.is_some() || !is_theirs || ledger.answers >= limits::ANSWERS {
        return None;
    }
    let record = member.draw_record(RecordKind::Comparison);
    Some(record::comparison(record, now, tip.record))
}

/// One write, with the pool as it then stands. The book goes on with it.
fn write(
    member: &mut Member,
    ledgers: &Ledgers,
    book: &mut Book<CouncilCode, RecordId>,
    parts: ByCounterpart,
    pool: Vec<Edit>,
    now: UnixSeconds,
) -> Result<Vec<Receipt>, WriteError> {
    let mut after = book.clone();
    let coming: Vec<&Written> = parts.values().flat_map(|part| &part.facts).collect();
    let settled = settled::settled(member, ledgers, &coming, Day::of(now));
    let gone = settled::gone(member, ledgers, &coming);
    let mut all = Vec::new();
    for (with, part) in parts {
        let mut edits = part.edits;
        let opens = edits
            .iter()
            .any(|edit| edit.record().kind() == RecordKind::Opening);
        let ledger = ledgers.by_counterpart.get(&with);
        if let Some(ledger) = ledger.filter(|l| !opens && needs_opening(member, with, l)) {
            edits.insert(0, opening(member, with, ledger, false, now));
        }
        edits.extend(part.facts.iter().map(record::edit));
        let facts = part.facts.into_iter().map(|written| written.fact);
        after.mine.entry(with).or_default().extend(facts);
        all.push((DocumentKind::Casework(with), edits));
    }
    let mut states = pool::edits(member, &after, &settled);
    states.extend(gone);
    states.extend(pool);
    if !states.is_empty() {
        all.push((DocumentKind::RematchingPool, states));
    }
    let receipts = member.write(&all, now)?;
    *book = after;
    Ok(receipts)
}
