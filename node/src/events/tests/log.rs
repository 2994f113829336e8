//! Reading on, gaps, slow readers, the number of readers, and the end.

use std::sync::Arc;

use smp_protocol::limits::EVENT_STREAMS;

use super::{soon, told};
use crate::events::{EventLog, Follower};

/// A log of which 100 to `newest` are remembered.
fn log(newest: u64) -> Arc<EventLog> {
    let log = Arc::new(EventLog::default());
    log.load(99, newest, told(100..=newest));
    log
}

fn rest(follower: &mut Follower) -> Vec<(u64, String)> {
    let ready = std::iter::from_fn(|| follower.ready());
    ready.map(|e| (e.number, e.kind.clone())).collect()
}

fn numbers(follower: &mut Follower) -> Vec<u64> {
    rest(follower)
        .into_iter()
        .map(|(number, _)| number)
        .collect()
}

#[tokio::test]
async fn a_reader_reads_on_from_where_it_was() {
    let log = log(103);
    let mut reader = log.follow(Some(101)).unwrap();
    assert_eq!(numbers(&mut reader), [102, 103]);
    let waiting = tokio::spawn(async move {
        let next = reader.next().await.unwrap();
        (next.number, reader)
    });
    log.publish(99, told(104..=105));
    let (number, mut reader) = soon("it is told", waiting).await.unwrap();
    assert_eq!(number, 104);
    assert_eq!(numbers(&mut reader), [105]);
}

#[test]
fn who_names_no_number_hears_what_is_told_from_now_on_and_0_is_all_there_is() {
    let log = log(103);
    let mut reader = log.follow(None).unwrap();
    assert_eq!((reader.cursor(), numbers(&mut reader)), (103, vec![]));
    log.publish(99, told(104..=104));
    assert_eq!(numbers(&mut reader), [104]);
    // Nothing is missing for who knows of nothing.
    let mut all = log.follow(Some(0)).unwrap();
    assert_eq!(numbers(&mut all), [100, 101, 102, 103, 104]);
}

#[test]
fn what_is_not_remembered_is_a_gap_and_is_said_once() {
    let log = log(103);
    let mut behind = log.follow(Some(98)).unwrap();
    let all = rest(&mut behind);
    assert_eq!(all[0], (99, "gap".to_owned()));
    assert_eq!(all.len(), 5);
    assert_eq!(all[1].0, 100);
    // The last that is not remembered is no gap, whoever has seen it.
    assert_eq!(log.follow(Some(99)).unwrap().ready().unwrap().number, 100);
    // A number of a store that is lost.
    let mut ahead = log.follow(Some(5000)).unwrap();
    assert_eq!(rest(&mut ahead)[0], (99, "gap".to_owned()));
}

#[test]
fn a_slow_reader_is_overtaken_told_so_and_reads_on() {
    let log = log(103);
    let mut slow = log.follow(Some(100)).unwrap();
    let mut quick = log.follow(Some(100)).unwrap();
    assert_eq!(numbers(&mut quick), [101, 102, 103]);
    // The log moves on without waiting for anybody.
    log.publish(102, told(104..=106));
    assert_eq!(numbers(&mut quick), [104, 105, 106]);
    let late = rest(&mut slow);
    assert_eq!(late[0], (102, "gap".to_owned()));
    let late: Vec<u64> = late[1..].iter().map(|(number, _)| *number).collect();
    assert_eq!(late, [103, 104, 105, 106]);
}

#[tokio::test]
async fn readers_are_counted_and_end_when_the_node_stops() {
    let log = log(103);
    let mut readers: Vec<Follower> = (0..EVENT_STREAMS)
        .map(|_| log.follow(None).unwrap())
        .collect();
    assert!(log.follow(None).is_none());
    drop(readers.pop());
    let mut last = log.follow(Some(0)).unwrap();
    let waiting = tokio::spawn(async move { readers.pop().unwrap().next().await });
    log.close();
    assert_eq!(soon("it ends", waiting).await.unwrap(), None);
    // At once, and not after all that it could still read.
    assert_eq!(soon("it ends", last.next()).await, None);
}
