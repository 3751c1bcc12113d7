//! The network that the corpus and the egress tests assume (`tests/corpus/README.md`): a resolver, good origins, a sink for whatever is outside
//! policy and services inside, all on loopback.
//!
//! Good names live on 127.0.9.1, every other name on the sink 127.0.9.2; both are in the range that the server may reach, so that only the rules
//! keep a guest from the sink. What answers on 127.0.0.1, 127.0.0.2 and ::1 is inside.

mod dns;
mod notes;
mod origin;
mod peer;
mod routes;
mod settings;
mod tls;

pub(crate) use notes::{End, Kind, Seen, State};
pub(crate) use settings::API_KEY;

use super::{PATIENCE, Plan, heavy};
use notes::Notes;
use origin::Listener;
use std::fs::File;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;
use tempfile::TempDir;

/// Where good names live.
const GOOD: &str = "127.0.9.1";

/// Where every other name lives.
const SINK: &str = "127.0.9.2";

/// Addresses of services inside.
const INSIDE: [&str; 3] = ["127.0.0.1", "127.0.0.2", "::1"];

/// A world. Its ports and threads go away with it; there is one at a time on a machine, and no other test that fills the machine beside it.
pub(crate) struct World {
    dns: dns::Dns,
    notes: Arc<Notes>,
    folder: TempDir,
    // Last: ports are free before the next world may come.
    _listeners: Vec<Listener>,
    _only: Only,
}

/// Whoever has it may have the one world of the machine, and knows that there is no other.
pub(crate) struct Only {
    _file: File,
    _alone: MutexGuard<'static, ()>,
}

impl Only {
    /// Waits until the world of whoever has it is gone.
    pub(crate) fn take() -> Self {
        let alone = heavy();
        // Another process may have a world, and another user may have made the file.
        let path = std::env::temp_dir().join("cordon-test-world.lock");
        let file = File::create(&path).or_else(|_| File::open(&path)).expect("a lock file");
        file.lock().expect("the world's lock");
        Self { _file: file, _alone: alone }
    }
}

impl World {
    /// Makes one, when the one before it is gone.
    pub(crate) fn start() -> Self {
        let only = Only::take();
        let folder = tempfile::Builder::new().prefix("cordon-world-").tempdir().expect("a folder");
        let tls = tls::authority(&folder.path().join("ca.pem"));
        let notes = Arc::<Notes>::default();
        let good = [(GOOD, 443, true, Kind::Good), (GOOD, 80, false, Kind::Good)];
        // A port of a good name that no rule allows leads to the sink.
        let sink = [(SINK, 443, true), (SINK, 80, false), (GOOD, 8443, true)];
        let inside = INSIDE.iter().flat_map(|address| [(*address, 443, true, Kind::Inside), (*address, 80, false, Kind::Inside)]);
        let all = good.into_iter().chain(sink.map(|(address, port, tls)| (address, port, tls, Kind::Sink))).chain(inside);
        let listeners = all
            .filter(|(address, ..)| exists(address))
            .map(|(address, port, secure, kind)| Listener::start((address, port), kind, secure.then(|| Arc::clone(&tls)), &notes))
            .collect();
        Self { dns: dns::Dns::start(&notes), notes, folder, _listeners: listeners, _only: only }
    }

    /// How to start a server in it, with these lines in `[egress]` besides.
    pub(crate) fn plan(&self, egress: &str) -> Plan {
        Plan {
            config: Some(settings::config(self.dns.address, &self.folder.path().join("ca.pem"), egress)),
            policies: Some(settings::profiles()),
            variables: settings::SECRETS.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            ..Plan::default()
        }
    }

    /// What was seen so far.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.notes.lock())
    }

    /// Forgets what was seen; connections go on.
    pub(crate) fn forget(&self) {
        self.notes.lock().forget();
    }

    /// Waits until `probe` finds what it looks for.
    #[track_caller]
    pub(crate) fn until<T>(&self, what: &str, probe: impl FnMut(&State) -> Option<T>) -> T {
        self.notes.until(PATIENCE, probe).unwrap_or_else(|| panic!("waited in vain: {what}: {:?}", self.look(State::lines)))
    }

    /// Waits until the request for `path` is over, and says how it ended.
    #[track_caller]
    pub(crate) fn end_of(&self, path: &str) -> End {
        let ended = |seen: &&Seen| seen.path == path && seen.end != End::Open;
        self.until(&format!("the end of {path}"), |state| state.seen.iter().find(ended).map(|seen| seen.end))
    }

    /// What leaked or arrived where nothing may arrive; empty when all is well.
    pub(crate) fn complaints(&self) -> Vec<String> {
        self.look(|state| {
            let strays = state.seen.iter().filter(|seen| seen.kind != Kind::Good).map(|seen| format!("{seen:?}"));
            let leaks = state.leaks.iter().map(|leak| format!("{leak} arrived where it must not"));
            let odd = state.asked.iter().filter(|name| !dns::is_good(name)).map(|name| format!("the name {name} was resolved"));
            strays.chain(leaks).chain(odd).collect()
        })
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.notes.close();
    }
}

/// Names of the secrets whose value is in `text`, in any of the forms that a thief would write it in.
pub(crate) fn secrets_in(text: &str) -> Vec<&'static str> {
    notes::secrets_in(text.as_bytes())
}

/// Files below `folder` that have a secret's value.
pub(crate) fn files_with_secrets(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_with_secrets(&path));
        } else {
            let bytes = std::fs::read(&path).unwrap_or_default();
            found.extend(notes::secrets_in(&bytes).iter().map(|name| format!("{name} in {}", path.display())));
        }
    }
    found
}

/// False for an address of a family that this machine does not have: there is nothing inside to reach by it.
fn exists(address: &str) -> bool {
    let address: IpAddr = address.parse().expect("an address");
    address.is_ipv4() || std::net::UdpSocket::bind((address, 0)).is_ok()
}

/// Longest time that a route waits, whatever it is asked for: longer than any run.
const WAIT_MAX: Duration = Duration::from_secs(120);
