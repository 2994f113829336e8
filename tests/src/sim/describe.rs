//! Frames as people read them, for a history.

use smp_protocol::document::Unit;
use smp_protocol::ids::DocumentName;
use smp_protocol::session::message::{Answer, Control, DocumentSummary, Want};

use super::link::Lane;

/// What a question asks for.
pub(super) fn asked_for(frame: &[u8]) -> Option<DocumentName> {
    Want::decode(frame).ok().map(|want| want.document)
}

fn units(units: &[Unit]) -> String {
    let one = |unit: &Unit| {
        let (first, last) = (unit.first, unit.end().saturating_sub(1));
        format!(
            "{} {}/{} {first}..={last}",
            unit.place.document,
            unit.chain.node.short(),
            unit.chain.incarnation.short()
        )
    };
    let all: Vec<String> = units.iter().take(3).map(one).collect();
    let more = if units.len() > 3 { ", …" } else { "" };
    format!("{}{more}", all.join(", "))
}

fn control(frame: &[u8]) -> String {
    match Control::decode(frame) {
        Ok(Control::Hello(hello)) => format!("hello, roster {}", hello.roster_version),
        Ok(Control::Roster(_)) => "a roster".to_owned(),
        Ok(Control::Summary(summary)) => {
            let names: Vec<String> = summary.documents.iter().map(summarised).collect();
            let count = summary.documents.len();
            format!("summary of {count}: {}", names.join(", "))
        }
        Ok(Control::Agreement(agreement)) => format!("agreement {}", agreement.digest.short()),
        Ok(Control::Push(push)) => format!("push {}", units(&push.units)),
        Ok(Control::Evidence(evidence)) => format!("evidence about {}", evidence.place.document),
        Ok(Control::Holds(holds)) => format!("holds {} of {}", holds.entries, holds.document),
        Err(error) => format!("{} bytes of no message: {error}", frame.len()),
    }
}

fn summarised(item: &DocumentSummary) -> String {
    let accepted = item.acceptance.as_ref().map(|statement| {
        let (counter, readers) = (statement.body.counter, statement.body.readers.len());
        format!(" (acceptance {counter}: {readers} readers)")
    });
    let (document, entries) = (item.document, item.entries);
    format!("{document} {entries}{}", accepted.unwrap_or_default())
}

/// One frame.
pub(super) fn frame(lane: Lane, frame: &[u8]) -> String {
    match lane {
        Lane::Control => control(frame),
        Lane::Question(stream) => match Want::decode(frame) {
            Ok(want) => format!("want {} on {stream}", want.document),
            Err(error) => format!("no question on {stream}: {error}"),
        },
        Lane::Answer(stream) => match Answer::decode(frame) {
            Ok(Answer::Batch(batch)) => format!("batch on {stream}: {}", units(&batch)),
            Ok(Answer::End(frontier)) => {
                let entries: u64 = frontier.0.values().map(|reach| reach.entries).sum();
                format!("end on {stream}: {entries} entries held")
            }
            Ok(Answer::No(why)) => format!("no on {stream}: {why:?}"),
            Err(error) => format!("no answer on {stream}: {error}"),
        },
    }
}
