//! Sequences of session events: three members, and an input that says who connects, writes,
//! stops and starts again, and what the network does to their frames. Some of it no network
//! does: frames altered, made up, and repeated to another.
//!
//! While it lasts nothing is believed that nobody wrote, and nothing goes to who may not read
//! it; once it is over, the members agree without anybody's help, and have all that was
//! acknowledged.

mod net;

use smp_protocol::ids::DocumentKind;

use super::Seeds;
use super::script::Script;
use net::{MEMBERS, Net};

/// More steps than this are no new case, only slower.
const STEPS: usize = 300;

/// What may happen, each with the number that stands for it in an input.
mod step {
    pub(super) const DELIVER: u8 = 0;
    pub(super) const DELIVER_SOME: u8 = 1;
    pub(super) const DELIVER_ALL: u8 = 2;
    pub(super) const CONNECT: u8 = 3;
    pub(super) const DISCONNECT: u8 = 4;
    pub(super) const TICK: u8 = 5;
    pub(super) const WRITE: u8 = 6;
    pub(super) const WRITE_MUCH: u8 = 7;
    pub(super) const ACCEPT: u8 = 8;
    pub(super) const RESTART: u8 = 9;
    pub(super) const LOSE: u8 = 10;
    pub(super) const REPEAT: u8 = 11;
    pub(super) const DELAY: u8 = 12;
    pub(super) const ALTER: u8 = 13;
    pub(super) const MAKE_UP: u8 = 14;
    pub(super) const REPLAY: u8 = 15;
    pub(super) const COUNT: usize = 16;
}

/// An input is steps: a byte that says which, and what it needs.
pub(super) fn session(data: &[u8]) {
    let mut script = Script::new(data);
    let mut net = Net::new();
    for _ in 0..STEPS {
        if script.is_over() {
            break;
        }
        let chosen = script.below(step::COUNT);
        take(
            &mut net,
            u8::try_from(chosen).unwrap_or_default(),
            &mut script,
        );
    }
    net.heal();
    net.assert_kept_and_agreed();
}

fn take(net: &mut Net, chosen: u8, script: &mut Script<'_>) {
    match chosen {
        step::DELIVER => net.deliver(1),
        step::DELIVER_SOME => net.deliver(script.below(32)),
        step::DELIVER_ALL => net.deliver(usize::MAX),
        step::CONNECT => net.connect(script.below(MEMBERS), script.below(MEMBERS)),
        step::DISCONNECT => net.disconnect(script.below(256)),
        step::TICK => net.tick(1 + script.below(256) as u64),
        step::WRITE => {
            let (who, kind) = (script.below(MEMBERS), kind(script));
            net.write(who, kind, 1 + script.below(4));
        }
        step::WRITE_MUCH => {
            let (who, kind) = (script.below(MEMBERS), kind(script));
            net.write(who, kind, 150);
        }
        step::ACCEPT => {
            let (owner, reader) = (script.below(MEMBERS), script.below(MEMBERS));
            net.accept(owner, reader, script.below(4) != 0);
        }
        step::RESTART => net.restart(script.below(MEMBERS)),
        step::LOSE => net.lose(),
        step::REPEAT => net.repeat(),
        step::DELAY => net.delay(),
        step::ALTER => {
            let (at, how, with) = (script.byte(), script.byte(), script.byte());
            net.alter(at, how, with);
        }
        step::MAKE_UP => {
            let (link, way) = (script.below(256), script.byte());
            let length = script.below(256);
            net.inject(link, way, script.bytes(length).to_vec());
        }
        step::REPLAY => {
            let (link, way, frame) = (script.below(256), script.byte(), script.below(256));
            net.replay(link, way, frame);
        }
        _ => {}
    }
}

fn kind(script: &mut Script<'_>) -> DocumentKind {
    DocumentKind::OF_EACH[script.below(DocumentKind::OF_EACH.len())]
}

pub(super) fn seeds() -> Seeds {
    use step::*;
    let connect_all = [CONNECT, 0, 1, CONNECT, 1, 2, CONNECT, 2, 0, DELIVER_ALL];
    let with = |rest: &[u8]| [&connect_all[..], rest].concat();
    let cases: [(&str, Vec<u8>); 9] = [
        (
            "a write reaches everyone",
            with(&[WRITE, 0, 1, 2, DELIVER_ALL]),
        ),
        (
            "written before they meet",
            [&[WRITE_MUCH, 1, 1, WRITE, 2, 2, 3][..], &connect_all].concat(),
        ),
        (
            "a register and its reader",
            with(&[
                ACCEPT,
                0,
                1,
                1,
                WRITE,
                0,
                0,
                1,
                DELIVER_ALL,
                TICK,
                70,
                ACCEPT,
                0,
                1,
                0,
                DELIVER_ALL,
            ]),
        ),
        (
            "a chain of links",
            vec![
                CONNECT,
                0,
                1,
                CONNECT,
                1,
                2,
                DELIVER_ALL,
                WRITE_MUCH,
                0,
                1,
                DELIVER_ALL,
                TICK,
                9,
            ],
        ),
        (
            "a crash in the middle",
            with(&[
                WRITE_MUCH,
                0,
                1,
                DELIVER_SOME,
                5,
                RESTART,
                1,
                DELIVER_SOME,
                9,
                RESTART,
                0,
                CONNECT,
                0,
                1,
                DELIVER_ALL,
            ]),
        ),
        (
            "frames lost, repeated and late",
            with(&[
                WRITE,
                0,
                1,
                1,
                LOSE,
                WRITE,
                1,
                1,
                1,
                REPEAT,
                WRITE,
                2,
                1,
                1,
                DELAY,
                DELIVER_ALL,
                TICK,
                80,
                DELIVER_ALL,
            ]),
        ),
        (
            "frames altered",
            with(&[
                WRITE,
                0,
                1,
                1,
                ALTER,
                9,
                0,
                1,
                WRITE,
                0,
                1,
                1,
                ALTER,
                200,
                1,
                7,
                DELIVER_ALL,
                CONNECT,
                0,
                1,
                DELIVER_ALL,
            ]),
        ),
        (
            "frames made up",
            with(&[
                MAKE_UP,
                0,
                0,
                3,
                99,
                1,
                2,
                MAKE_UP,
                1,
                1,
                2,
                16,
                0,
                MAKE_UP,
                2,
                2,
                3,
                19,
                2,
                2,
                DELIVER_ALL,
            ]),
        ),
        (
            "frames repeated to another",
            with(&[
                WRITE,
                0,
                1,
                1,
                DELIVER_ALL,
                REPLAY,
                1,
                0,
                0,
                REPLAY,
                2,
                0,
                7,
                REPLAY,
                0,
                1,
                3,
                DELIVER_ALL,
                TICK,
                61,
                DISCONNECT,
                0,
            ]),
        ),
    ];
    let named = |(name, bytes): (&str, Vec<u8>)| (name.to_owned(), bytes);
    cases.into_iter().map(named).collect()
}
