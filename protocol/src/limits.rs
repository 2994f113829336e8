//! Every limit of the protocol, each with its reason. Nothing else belongs here.
//!
//! A limit protects the one who holds it: what a peer sends is measured against these
//! before anything is allocated, kept or repeated on its word.

/// A region's name: it stands in certificates, file names and on screens.
pub const REGION_NAME_BYTES: usize = 32;

/// The edits of one entry, encoded. 256 entries, the most between two kept signatures,
/// are then at most 1 MiB: what has to be admitted together stays bounded without a
/// second rule. About 50 host records fit.
pub const ENTRY_BYTES: usize = 4096;

/// Entries between two kept signatures (P-12). A cold start checks one signature per unit.
pub const UNIT_ENTRIES: u64 = 256;

/// Dependencies that one entry may name: the heads of that many other chains. An author
/// with more to merge writes a second entry.
pub const ENTRY_DEPENDENCIES: usize = 64;

/// Chains of one document in one generation. A node makes one per process start, so this
/// is years of restarts; the owner starts a new generation long before.
pub const CHAINS_PER_DOCUMENT: usize = 1024;

/// Entries of one chain in one generation: what a process that writes once a second
/// reaches in twelve days. A bound on what one key can make every reader keep.
pub const ENTRIES_PER_CHAIN: u64 = 1 << 20;

/// Records that may be created in one document and generation, counted over an entry and
/// its ancestors. The largest council's register is about 2,000 hosts.
pub const RECORDS_PER_DOCUMENT: u64 = 100_000;

/// Facts of one casework document and generation, counted likewise: some six for a case, so many
/// hundreds of cases with one other council. All of them are read at every decision, so that this
/// also bounds what one council can make another's decider compute.
pub const FACTS_PER_CASEWORK: u64 = 8192;

/// Encoded edits of one document and generation, counted over an entry and its ancestors:
/// what one council can make every reader store.
pub const DOCUMENT_BYTES: u64 = 64 << 20;

/// What one document may take here in all: its edits, and for each entry what is kept of
/// it. Far above what an honest council reaches within its quota, and a bound on what a
/// dishonest one reaches with many chains that do not count one another.
pub const DOCUMENT_TOTAL_BYTES: u64 = 256 << 20;

/// What an entry is counted for beside its edits in [`DOCUMENT_TOTAL_BYTES`].
pub const ENTRY_OVERHEAD_BYTES: u64 = 512;

/// Fields of one record; the widest kind in the schema has 20.
pub const FIELDS_PER_RECORD: usize = 64;

/// Items of a value that is a set (languages, areas); the schema's own bounds are lower.
pub const SET_ITEMS: usize = 64;

/// Text of a value (an office mailbox is the longest): RFC 5321's limit on a path.
pub const TEXT_BYTES: usize = 254;

/// A control frame; these are not compressed. A summary of 200 documents is about 60 KB, a
/// roster of 64 councils about 120 KB.
pub const CONTROL_FRAME_BYTES: usize = 512 << 10;

/// A frame of entries on the wire, compressed or not.
pub const BATCH_FRAME_BYTES: usize = 2 << 20;

/// What a frame of entries may decompress to: one unit of each of a few chains that
/// depend on one another.
pub const BATCH_BYTES: usize = 4 << 20;

/// Where an answer stops filling a batch and sends it: small enough that a reader shows
/// progress, large enough that compression pays.
pub const BATCH_TARGET_BYTES: usize = 256 << 10;

/// Units in one batch.
pub const BATCH_UNITS: usize = 4096;

/// New entries pushed inside the control stream; beyond this the change is announced and
/// readers pull it, compressed.
pub const PUSH_BYTES: usize = 16 << 10;

/// Readers to whom a node passes on what it was pushed (P-40): about 3 n messages a
/// region, and the path heals around broken links.
pub const PASS_ON_TO: usize = 2;

/// A signed roster: 64 members with two nodes each come to about 250 KB, most of it
/// post-quantum sealing keys.
pub const ROSTER_BYTES: usize = if WIDE { 8 << 20 } else { 384 << 10 };

/// Members of a region; the largest real one has 70 councils.
pub const ROSTER_MEMBERS: usize = if WIDE { 512 } else { 128 };

/// Whether this build is for simulations of regions that no roster holds: never a node's.
const WIDE: bool = cfg!(feature = "wide");

/// Nodes of one council: a decider, a standby and two in replacement.
pub const NODES_PER_MEMBER: usize = 4;

/// Endpoints of one node: IPv4, IPv6, and a name or two.
pub const ENDPOINTS_PER_NODE: usize = 4;

/// Readers named for one document; a council has at most a dozen neighbours.
pub const READERS_PER_DOCUMENT: usize = 64;

/// Months of indicators in one answer: two years, which a table still shows.
pub const INDICATOR_MONTHS: usize = 24;

/// Cuts in a roster: a few for every council over the years. What they name is bounded by
/// the roster's own size.
pub const CUTS: usize = 512;

/// Hashes in a node's statement of what it holds of a key (P-48), shared out among the
/// key's chains: 256 of each where there are up to 32.
pub const VOUCHED_HASHES: usize = 8192;

/// A statement of what a node holds of a key, encoded: its hashes, and the names of as many
/// chains as a document may have.
pub const VOUCHING_BYTES: usize = 512 << 10;

/// How far one roster may be ahead of the one before it that a node holds. An authority
/// that signs a version a day gets there in three years.
pub const ROSTER_VERSION_JUMP: u64 = 1000;

/// How long a roster is valid: a year and a month's grace, so that a yearly renewal is
/// never late by a holiday.
pub const ROSTER_LIFETIME_SECONDS: u64 = 396 * 86_400;

/// From how long before its expiry a roster is warned about.
pub const ROSTER_WARNING_SECONDS: u64 = 90 * 86_400;

/// How far a peer's statement may be dated ahead of this node's clock before it is not
/// believed as fresh.
pub const CLOCK_SKEW_SECONDS: u64 = 600;

/// How often a node says again how its documents stand, when nothing was written.
pub const FRESHNESS_SECONDS: u64 = 3600;

/// Seconds between two anti-entropy rounds, before jitter.
pub const ROUND_SECONDS: u64 = 60;

/// From a change to the first round after it, while a peer may not have seen it. Each pause
/// after that is twice the one before, up to [`ROUND_SECONDS`]: a dozen peers are compared in
/// little more than a minute, and a change costs each member no more than that, however many
/// there are.
pub const ROUND_SECONDS_UNSETTLED: u64 = 5;

/// How long a peer that agreed is not asked again while nothing changes. In a small region
/// every round would ask every peer, which is most of what idle nodes say; whoever has news
/// does not wait for this.
pub const AT_REST_SECONDS: u64 = 240;

/// Peers that a round asks; the rest are reached in later rounds.
pub const ROUND_PEERS: usize = 3;

/// How long a pull may go without a frame before it is given up and tried elsewhere.
pub const PULL_STALL_SECONDS: u64 = 30;

/// How long a pull may take, moving or not, before another peer is asked for the rest: a
/// peer that gives an entry a minute must not be the only one that is ever asked. At 10 KB a
/// second it is enough for the largest register.
pub const PULL_SECONDS: u64 = 300;

/// How long it is remembered that a node left a question unanswered: it is asked after the
/// others meanwhile.
pub const STALL_MEMORY_SECONDS: u64 = 3600;

/// Pulls under way at once in one node: each is one document from one peer.
pub const PULLS: usize = 16;

/// Of those, from one peer: a peer that answers slowly must not hold all of them.
pub const PULLS_PER_PEER: usize = 4;

/// Answers under way to one peer; the next is told to come back.
pub const ANSWERS_PER_PEER: usize = 8;

/// How long a peer told `Busy` should wait.
pub const BUSY_SECONDS: u64 = 2;

/// How long a connection may take to say hello and agree on a roster.
pub const HELLO_SECONDS: u64 = 20;

/// Proven refusals remembered for one document, oldest forgotten first; told to peers so
/// that they stop sending.
pub const REFUSALS_PER_DOCUMENT: usize = 64;

/// Memory that merged states may take in one node, as far as that can be told: those used longest
/// ago are put away beyond it. The documents of the largest region take about 30 MB.
pub const LIVE_BYTES: u64 = 64 << 20;

/// How much memory a merged state takes for each byte that its document is counted for in
/// [`DOCUMENT_TOTAL_BYTES`].
pub const LIVE_FACTOR: u64 = 10;

/// Merged states put away in a second: each is work for some milliseconds.
pub const LET_GO_AT_ONCE: usize = 4;

/// How long a document must not have changed before a snapshot of it is stored.
pub const SNAPSHOT_QUIET_SECONDS: u64 = 60;

/// What a document's entries since its last snapshot must come to for another: less than that
/// is executed again in a few milliseconds.
pub const SNAPSHOT_BYTES: u64 = 16 << 10;

/// The largest snapshot that is stored: the store takes values of 64 MiB, and a document that is
/// larger than this has long been due for a new generation.
pub const SNAPSHOT_LARGEST_BYTES: usize = 32 << 20;

/// And which share of all its entries, one in so many: so that what is written for snapshots is
/// a few times what is written for entries, however large the document.
pub const SNAPSHOT_SHARE: u64 = 8;

/// Automerge changes that wait to be applied together: enough that the pass over the document is
/// shared by many, few enough that what waits is small beside the document.
pub const WAITING_CHANGES: usize = 1_024;

/// Working copies of one document kept for authors on a branch of their own.
pub const WORKING_COPIES: usize = 8;

/// Connections of one node at once: two that crossed, and one that came back.
pub const CONNECTIONS_PER_NODE: usize = 3;

/// Connected peers: every node of a full region.
pub const PEERS: usize = ROSTER_MEMBERS * NODES_PER_MEMBER;

/// Places of one proposal: a handful that would do, so that the host council can choose.
pub const PLACES_OF_PROPOSAL: usize = 8;

/// Open proposals of one request: each asks another placement team to work on it.
pub const PROPOSALS_OF_REQUEST: usize = 5;

/// How long a hold may stand unconfirmed. Longer would keep a home from others.
pub const HOLD_HOURS: u64 = 14 * 24;

/// Days that a region may give a check of a host: the longest interval between two visits.
pub const CHECK_TARGET_DAYS: u16 = 366;

/// Questions that one council asks of one case, each with an answer: twice as many as there are to
/// ask. They take room that facts need.
pub const QUESTIONS_OF_CASE: usize = 16;

/// Times that a host council's node says of one hold that its host's checks have changed. An officer
/// who corrects a check to and fro must not fill the casework.
pub const CONCERNS_OF_HOLD: usize = 32;

/// Requests that one is split into: a household of forty in its single people is no household.
pub const SPLIT_INTO: usize = 8;

/// Rounds in which a node does by itself what follows from one event. Each follows from the one
/// before (opening, comparing, placing); more would be going in a circle.
pub const TENDING_ROUNDS: usize = 8;

/// Openings of one counterpart that are answered in one generation: one for each start of its
/// decider, as [`CHAINS_PER_DOCUMENT`]. What else fits into a casework document is left for facts.
pub const ANSWERS: usize = 1024;

/// Open requests that one regional suggestion is worked out for, the most urgent first. The
/// largest region has some hundreds; work grows with the square of this times the places.
pub const ASSIGNED_REQUESTS: usize = 1000;

/// And open places.
pub const ASSIGNED_PLACES: usize = 4000;

/// Events that a node remembers for whoever reads on: weeks of a busy council's, in about half a
/// megabyte.
pub const EVENT_LOG: usize = 1000;

/// Events that a node tells at once; the rest follow a second later. A register that is imported
/// with a thousand overdue checks must not hold up the flush.
pub const EVENTS_AT_ONCE: usize = 256;

/// What happened so long before a node began to remember what it has told is history, and is not
/// told: a store that comes back from its readers brings years of it. A day leaves room for what
/// happened while the old store was down.
pub const EVENT_HISTORY_SECONDS: u64 = 86_400;

/// How long a node remembers that it told what is so no more. It may come to be so again (a member
/// that is taken off the roster and put back), and is not told twice for that.
pub const EVENT_MEMORY_SECONDS: u64 = 30 * 86_400;

/// Events of which a node remembers beyond those that are still so that it told them, the newest.
/// Some 40 bytes each.
pub const EVENTS_TOLD: usize = 50_000;

/// How long before its time runs out a hold is told of.
pub const HOLD_WARNING_SECONDS: u64 = 3600;

/// How long no other council may have said how its pool stands, each in [`FRESHNESS_SECONDS`], before
/// this node takes itself to be cut off.
pub const CUT_OFF_SECONDS: u64 = 4 * 3600;

/// How long one council may not have said it before that is told.
pub const SILENT_COUNCIL_SECONDS: u64 = 86_400;

/// How long a process listens before it says of anybody that they are silent: twice
/// [`FRESHNESS_SECONDS`], since it may itself have been away.
pub const LISTENING_SECONDS: u64 = 2 * FRESHNESS_SECONDS;

/// Readers of a node's events at once: a screen for each of a team, and a few scripts. Each may hold
/// a connection for as long as it likes.
pub const EVENT_STREAMS: usize = 16;

/// How long a hook may take for one event: it sends an email.
pub const HOOK_SECONDS: u64 = 30;

/// Pauses before a hook is tried again with an event, in seconds; after the last it is given up. In
/// about twenty minutes a mail server is back, or somebody has to look.
pub const HOOK_PAUSES: [u64; 5] = [2, 10, 60, 300, 900];

/// Words of a hook's command line.
pub const HOOK_WORDS: usize = 32;
