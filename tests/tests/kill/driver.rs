//! What a council does while nodes are killed: it writes, and remembers what was acknowledged.
//! It never takes a failed write for one that did not happen.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use serde_json::json;
use system_tests::harness::{Client, Random};

/// What all drivers are told.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    /// Writes that each may have begun by now.
    pub(crate) granted: AtomicU64,
    over: AtomicBool,
}

/// Ends the drivers when it is dropped.
pub(crate) struct Over<'a>(&'a Orders);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::SeqCst);
    }
}

impl Orders {
    pub(crate) fn over_when_dropped(&self) -> Over<'_> {
        Over(self)
    }

    fn are_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// Waits for a condition; false once all is over.
    fn wait(&self, condition: impl Fn() -> bool) -> bool {
        while !self.are_over() {
            if condition() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        false
    }
}

/// Hosts that are imported together, again and again with another capacity.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    council: String,
    number: usize,
    pub(crate) rows: u64,
    /// What may be there: the version that was acknowledged last, or none, and every later
    /// one whose import was cut off.
    pub(crate) possible: Vec<Option<u64>>,
}

impl Batch {
    fn name(&self, row: u64) -> String {
        format!("Example {} {} {row}", self.council, self.number)
    }

    pub(crate) fn names(&self) -> Vec<String> {
        (0..self.rows).map(|row| self.name(row)).collect()
    }

    /// The file of a version.
    pub(crate) fn csv(&self, version: u64) -> String {
        let mut out =
            String::from("reference,accommodation_type,current_capacity,status,full_name\n");
        for row in 0..self.rows {
            let (number, name) = (self.number, self.name(row));
            let capacity = version % 41;
            out.push_str(&format!(
                "{number}-{row},sponsor,{capacity},checking,{name}\n"
            ));
        }
        out
    }
}

/// What was written, as far as one can know.
#[derive(Debug, Default)]
pub(crate) struct Book {
    /// Acknowledged places, and what `people` of each may be.
    pub(crate) places: BTreeMap<String, Vec<u64>>,
    pub(crate) batches: Vec<Batch>,
    acknowledged: usize,
    cut_off: usize,
}

/// The writes of one council.
#[derive(Debug)]
pub(crate) struct Driver {
    pub(crate) client: Client,
    /// Writes begun so far.
    pub(crate) begun: AtomicU64,
    /// Writes answered or cut off so far.
    pub(crate) ended: AtomicU64,
    file: PathBuf,
    book: Mutex<Book>,
}

impl Driver {
    pub(crate) fn new(client: &Client, dir: &Path) -> Self {
        Self {
            client: client.clone(),
            begun: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            file: dir.join(format!("{}.csv", client.council)),
            book: Mutex::default(),
        }
    }

    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap()
    }

    pub(crate) fn acknowledged(&self) -> usize {
        self.book().acknowledged
    }

    pub(crate) fn cut_off(&self) -> usize {
        self.book().cut_off
    }

    /// Writes until all is over.
    pub(crate) fn run(&self, orders: &Orders, mut random: Random) {
        loop {
            let granted =
                || self.begun.load(Ordering::SeqCst) < orders.granted.load(Ordering::SeqCst);
            let answers = || self.client.api().get("/v1/health").is_ok();
            if !(orders.wait(granted) && orders.wait(answers)) {
                return;
            }
            self.begun.fetch_add(1, Ordering::SeqCst);
            let mut book = self.book();
            let acknowledged = match random.below(5) {
                0 => self.import(&mut book, &mut random),
                1 => self.change_place(&mut book, &mut random),
                _ => self.offer_place(&mut book, &mut random),
            };
            self.ended.fetch_add(1, Ordering::SeqCst);
            match acknowledged {
                true => book.acknowledged += 1,
                false => book.cut_off += 1,
            }
        }
    }

    fn offer_place(&self, book: &mut Book, random: &mut Random) -> bool {
        let people = 1 + random.below(40);
        let fields = json!({ "rooms": "1", "people": people.to_string(), "emergency": "no" });
        let path = "/v1/records/place";
        match self.client.api().post(path, &json!({ "fields": fields })) {
            Ok(answer) => {
                let stored = answer.ok();
                let id = stored["records"][0].as_str().unwrap().to_owned();
                book.places.insert(id, vec![people]);
                true
            }
            Err(_) => false,
        }
    }

    fn change_place(&self, book: &mut Book, random: &mut Random) -> bool {
        let count = book.places.len() as u64;
        let nth = usize::try_from(random.below(count.max(1))).unwrap();
        let Some((id, possible)) = book.places.iter_mut().nth(nth) else {
            return self.offer_place(book, random);
        };
        let people = 1 + random.below(40);
        let edit = json!({ "fields": { "people": people.to_string() } }).to_string();
        let path = format!("/v1/record/{id}");
        let kind = "application/json";
        match self
            .client
            .api()
            .send("PATCH", &path, kind, edit.as_bytes())
        {
            Ok(answer) => {
                assert_ne!(
                    answer.status, 404,
                    "{id} was acknowledged, and is not there"
                );
                answer.ok();
                *possible = vec![people];
                true
            }
            Err(_) => {
                possible.push(people);
                false
            }
        }
    }

    /// Imports a file with `smp`: a new one, or one that changes what an earlier one brought.
    fn import(&self, book: &mut Book, random: &mut Random) -> bool {
        let count = book.batches.len();
        let nth = usize::try_from(random.below(2 * count as u64 + 1)).unwrap();
        if nth >= count {
            book.batches.push(Batch {
                council: self.client.council.clone(),
                number: count,
                rows: 1 + random.below(60),
                possible: vec![None],
            });
        }
        let batch = &mut book.batches[nth.min(count)];
        let version = self.begun.load(Ordering::SeqCst);
        fs::write(&self.file, batch.csv(version)).unwrap();
        let import = ["hosts", "import", self.file.to_str().unwrap()];
        let ran = self.client.smp(&import);
        match ran.code {
            Some(0) => {
                batch.possible = vec![Some(version)];
                true
            }
            // The node cannot be reached, or broke off.
            Some(3) => {
                batch.possible.push(Some(version));
                false
            }
            _ => panic!("{ran:#?}"),
        }
    }
}
