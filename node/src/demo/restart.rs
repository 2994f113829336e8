//! Stops one node while the others write, starts it again, and waits until it caught up.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use smp_protocol::api::RecordEdit;
use smp_protocol::ids::RecordKind;

use super::councils::{Council, nearest};
use super::error::DemoError;
use super::load::{answered, create};
use super::program::Program;
use super::report::{Console, seconds};
use super::run::Region;
use super::watch::{STALLED_AFTER, Seen, until_agreed};
use crate::service::Service;

/// A place that is typed in while a node is stopped.
const PLACE: [(&str, &str); 4] = [
    ("rooms", "1"),
    ("people", "2"),
    ("emergency", "true"),
    ("state", "open"),
];

/// What a stop and a start came to.
pub(super) struct CaughtUp {
    /// What was seen at the end.
    pub(super) seen: Seen,
    /// Which council's node was stopped.
    pub(super) stopped: usize,
    /// Bytes that it had sent and received until then.
    pub(super) before: (u64, u64),
    /// From its start until all agreed.
    pub(super) took: Duration,
}

/// Stops a node that reads somebody's register, lets every other council write, starts it
/// again and waits until all agree.
pub(super) async fn stop_write_start<P: Program>(
    region: &mut Region<'_, P>,
    console: &Console,
    last: &Seen,
) -> Result<CaughtUp, DemoError> {
    let councils = &region.chosen.councils;
    let stopped = reader_of_first(councils);
    let name = councils
        .get(stopped)
        .map_or("", |council| council.name.as_str())
        .to_owned();
    let before = last
        .views
        .get(stopped)
        .map_or((0, 0), |view| (view.sent, view.received));
    region.stop(stopped).await;
    console.say(format_args!(
        "stopped the node of {name}; the others write on"
    ));

    let written = write_without(region, stopped).await?;
    let progress = &mut console.progress("copies in agreement");
    let services = region.services();
    let without = until_agreed(
        &region.chosen.councils,
        &services,
        STALLED_AFTER,
        |n, of| progress.at(n, of),
    );
    let without = without.await?;
    if without.lacks.is_empty() {
        let took = seconds(without.took);
        console.say(format_args!(
            "{written} writes; the others agree on them after {took}"
        ));
    } else {
        console.say(format_args!(
            "{written} writes; the others do not all agree on them"
        ));
    }

    let began = Instant::now();
    region.start(stopped).await?;
    console.say(format_args!("started the node of {name} again"));
    let services = region.services();
    let seen = until_agreed(
        &region.chosen.councils,
        &services,
        STALLED_AFTER,
        |n, of| progress.at(n, of),
    );
    let seen = seen.await?;
    let took = began.elapsed();
    Ok(CaughtUp {
        seen,
        stopped,
        before,
        took,
    })
}

/// The nearest council to the first: it reads that one's register, pools and lists.
fn reader_of_first(councils: &[Council]) -> usize {
    let reader = councils.first().and_then(|first| {
        let near = nearest(first, councils);
        near.first().map(|near| near.code)
    });
    let place = councils
        .iter()
        .position(|council| Some(council.code) == reader);
    place.unwrap_or(0)
}

/// Every council but one offers a place, and those whose register it reads change a host.
async fn write_without<P: Program>(
    region: &Region<'_, P>,
    stopped: usize,
) -> Result<usize, DemoError> {
    let councils = &region.chosen.councils;
    let stopped = councils.get(stopped).map(|council| council.code);
    let mut written = 0usize;
    for (council, service) in councils.iter().zip(region.services()) {
        let Some(service) = service else { continue };
        let place = fields(&PLACE);
        create(&service, &council.name, RecordKind::Place, place).await?;
        written = written.saturating_add(1);
        if nearest(council, councils)
            .iter()
            .any(|near| Some(near.code) == stopped)
        {
            change_a_host(&service, council).await?;
            written = written.saturating_add(1);
        }
    }
    Ok(written)
}

async fn change_a_host<S: Service>(service: &S, council: &Council) -> Result<(), DemoError> {
    let answer = service.records(RecordKind::Host, Some(council.code)).await;
    let hosts = answered(&council.name, "list its hosts", answer)?;
    let Some(id) = hosts.first().and_then(|host| host.id.parse().ok()) else {
        return Ok(());
    };
    let edit = RecordEdit {
        fields: fields(&[("hosting_duration", "60")]),
        ..RecordEdit::default()
    };
    answered(
        &council.name,
        "change a host",
        service.update(id, edit).await,
    )?;
    Ok(())
}

fn fields(named: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = named
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    owned.collect()
}
