//! A network of its own for each council: a namespace, and one cable to a router, on which
//! nothing is passed on but by `slow_link`. No address leaves the namespaces. All of it goes
//! when it is dropped, in a panic too.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use system_tests::harness::{binary, inside};

/// The port of every node, in its own namespace.
const PORT: u16 = 7400;

pub(crate) struct Net {
    router: String,
    sites: Vec<String>,
    relay: Option<Child>,
}

/// Runs `ip`, and says what it says where it fails.
fn ip(args: &str) -> Result<(), String> {
    let output = Command::new("ip").args(args.split(' ')).output();
    let output = output.map_err(|error| format!("ip cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("ip {args}: {}", said.trim()))
}

impl Net {
    /// A router and so many sites, and the slow network between them.
    ///
    /// # Errors
    /// Why this machine has none of that.
    pub(crate) fn new(sites: usize, seed: u64) -> Result<Self, String> {
        if !rustix::process::geteuid().is_root() {
            return Err("network namespaces need root".to_owned());
        }
        let name = |what: &str| format!("smp-{}-{what}", std::process::id());
        let mut net = Self {
            router: name("router"),
            sites: Vec::new(),
            relay: None,
        };
        ip(&format!("netns add {}", net.router))?;
        for n in 0..sites {
            let site = name(&n.to_string());
            ip(&format!("netns add {site}"))?;
            net.sites.push(site);
            net.connect(n)?;
        }
        net.relay = Some(net.start_relay(seed)?);
        Ok(net)
    }

    /// The cable between a site and the router.
    fn connect(&self, n: usize) -> Result<(), String> {
        let (router, site, cable) = (&self.router, &self.sites[n], cable(n));
        let subnet = subnet(n);
        ip(&format!(
            "-n {router} link add {cable} type veth peer name eth0 netns {site}"
        ))?;
        ip(&format!("-n {router} addr add {subnet}.1/24 dev {cable}"))?;
        ip(&format!("-n {site} addr add {subnet}.2/24 dev eth0"))?;
        ip(&format!("-n {router} link set {cable} up"))?;
        ip(&format!("-n {site} link set eth0 up"))?;
        ip(&format!("-n {site} link set lo up"))?;
        ip(&format!("-n {site} route add default via {subnet}.1"))
    }

    fn start_relay(&self, seed: u64) -> Result<Child, String> {
        let mut relay = Command::new(binary("slow_link"));
        relay.arg(seed.to_string());
        for n in 0..self.sites.len() {
            relay.arg(format!("{}={}", self.endpoint(n), self.listen(n)));
        }
        let mut relay = inside(&self.router, &relay);
        relay.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut relay = relay.spawn().map_err(|error| error.to_string())?;
        let mut line = String::new();
        let out = relay.stdout.take().expect("its output");
        let ready = BufReader::new(out).read_line(&mut line);
        match ready {
            Ok(_) if line == "ready\n" => Ok(relay),
            other => {
                let _ = (relay.kill(), relay.wait());
                Err(format!("slow_link says {line:?} ({other:?})"))
            }
        }
    }

    /// Where the others reach a site: at the router.
    pub(crate) fn endpoint(&self, n: usize) -> SocketAddr {
        let address = format!("{}.1:{PORT}", subnet(n));
        address.parse().expect("an address")
    }

    /// Where the site itself listens.
    pub(crate) fn listen(&self, n: usize) -> SocketAddr {
        let address = format!("{}.2:{PORT}", subnet(n));
        address.parse().expect("an address")
    }

    pub(crate) fn namespace(&self, n: usize) -> &str {
        &self.sites[n]
    }

    /// Pulls a site's cable out, or puts it back.
    pub(crate) fn set_cable(&self, n: usize, up: bool) {
        let state = if up { "up" } else { "down" };
        let set = format!("-n {} link set {} {state}", self.router, cable(n));
        ip(&set).expect("a cable");
    }
}

fn cable(n: usize) -> String {
    format!("site{n}")
}

fn subnet(n: usize) -> String {
    format!("10.77.{}", n + 1)
}

impl Drop for Net {
    fn drop(&mut self) {
        if let Some(mut relay) = self.relay.take() {
            let _ = (relay.kill(), relay.wait());
        }
        for name in self.sites.iter().chain([&self.router]) {
            let _ = ip(&format!("netns del {name}"));
        }
    }
}
