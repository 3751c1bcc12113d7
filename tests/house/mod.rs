//! Servers to test: started as a person would start them, asked over HTTP, stopped by SIGTERM.

mod client;
pub(crate) mod command;
pub(crate) mod process;
pub(crate) mod world;

pub(crate) use client::{Ask, Reply};

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The program under test.
pub(crate) const CORDON: &str = env!("CARGO_BIN_EXE_cordon");

/// How long anything that must happen may take. Generous: a debug build on two busy cores.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// One of these at a time: tests that fill the machine.
static HEAVY: Mutex<()> = Mutex::new(());

/// Held by a test that fills the machine.
pub(crate) fn heavy() -> MutexGuard<'static, ()> {
    HEAVY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A running server.
pub(crate) struct House {
    child: Child,
    guardian: Child,
    public: String,
    operator: String,
    data: Arc<TempDir>,
}

/// How to start a server.
#[derive(Default)]
pub(crate) struct Plan {
    /// The data folder; a new one unless given.
    pub(crate) data: Option<Arc<TempDir>>,
    /// The text of `cordon.toml`; none unless given.
    pub(crate) config: Option<String>,
    /// The text of profiles by file name; the built-in ones unless given.
    pub(crate) policies: Option<Vec<(String, String)>>,
    /// Where operators are listened to; a free port of loopback unless given.
    pub(crate) operator_listen: Option<String>,
    /// A data folder whose content the new one starts with.
    pub(crate) copy_of: Option<String>,
    /// Variables of the server's environment besides those of the tests.
    pub(crate) variables: Vec<(String, String)>,
}

/// A new folder that goes away with its last user.
pub(crate) fn folder() -> Arc<TempDir> {
    Arc::new(tempfile::Builder::new().prefix("cordon-test-").tempdir().expect("a folder"))
}

/// The server that tests share which leave nothing behind that others could notice. It goes away with its last user.
pub(crate) fn shared() -> Arc<House> {
    static SHARED: Mutex<std::sync::Weak<House>> = Mutex::new(std::sync::Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    match shared.upgrade() {
        Some(house) => house,
        None => {
            let house = Arc::new(House::start(Plan::default()));
            *shared = Arc::downgrade(&house);
            house
        }
    }
}

impl House {
    /// Starts a server and waits until both listeners are there.
    pub(crate) fn start(plan: Plan) -> Self {
        let data = plan.data.clone().unwrap_or_else(folder);
        let mut command = Command::new(CORDON);
        if let Some(from) = &plan.copy_of {
            let copied = Command::new("cp").args(["-r", from]).arg(data.path().join("data")).status().expect("cp starts");
            assert!(copied.success(), "{from} is copied");
        }
        let operator = plan.operator_listen.as_deref().unwrap_or("127.0.0.1:0");
        command.args(["serve", "--listen", "127.0.0.1:0", "--operator-listen", operator, "--data"]).arg(data.path().join("data"));
        if let Some(config) = &plan.config {
            let file = data.path().join("cordon.toml");
            std::fs::write(&file, config).expect("written");
            command.arg("--config").arg(file);
        }
        if let Some(policies) = &plan.policies {
            let folder = data.path().join("policies");
            std::fs::create_dir_all(&folder).expect("made");
            for (name, text) in policies {
                std::fs::write(folder.join(name), text).expect("written");
            }
            command.arg("--policies").arg(folder);
        }
        let stderr = std::fs::OpenOptions::new().create(true).append(true).open(data.path().join("stderr")).expect("a file");
        command::without_settings(&mut command).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr);
        command.env("CORDON_LOG", "warn").envs(plan.variables);
        Self::from_command(command, data)
    }

    /// Starts what `command` says, a server with its listeners on ports of its choice and its data folder in `data`.
    pub(crate) fn from_command(mut command: Command, data: Arc<TempDir>) -> Self {
        let mut child = command.spawn().expect("cordon starts");
        let guardian = guardian(child.id());
        let (public, operator) = match listeners(&mut child) {
            Some(both) => both,
            None => {
                let said = std::fs::read_to_string(data.path().join("stderr")).unwrap_or_default();
                let _ = (child.kill(), child.wait());
                panic!("the server did not start: {said}");
            }
        };
        Self { child, guardian, public, operator, data }
    }

    /// The public listener's address, such as `127.0.0.1:1234`.
    pub(crate) fn public(&self) -> &str {
        &self.public
    }

    /// The operator listener's address.
    pub(crate) fn operator(&self) -> &str {
        &self.operator
    }

    /// The supervisor's process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The folder that holds the data folder and what the server said on stderr.
    pub(crate) fn folder(&self) -> Arc<TempDir> {
        Arc::clone(&self.data)
    }

    /// The data folder.
    pub(crate) fn data(&self) -> std::path::PathBuf {
        self.data.path().join("data")
    }

    /// What the server wrote on stderr so far.
    pub(crate) fn stderr(&self) -> String {
        std::fs::read_to_string(self.data.path().join("stderr")).unwrap_or_default()
    }

    /// Asks the public listener.
    pub(crate) fn ask(&self, ask: &Ask) -> Reply {
        ask.send(&self.public).expect("the public listener answers")
    }

    /// Asks the operator listener for `path`.
    pub(crate) fn operator_get(&self, path: &str) -> Reply {
        Ask::get(path).send(&self.operator).expect("the operator listener answers")
    }

    /// `POST /v1/runs`.
    pub(crate) fn post(&self, body: &Value) -> Reply {
        self.ask(&Ask::post("/v1/runs", body))
    }

    /// `POST /v1/runs` on the operator listener, where code may be tried above the tier that it earned.
    pub(crate) fn rehearse(&self, body: &Value) -> Reply {
        Ask::post("/v1/runs", body).send(&self.operator).expect("the operator listener answers")
    }

    /// The report of a run that must be admitted.
    #[track_caller]
    pub(crate) fn run(&self, body: &Value) -> Value {
        let reply = self.post(body);
        assert_eq!(reply.status, 200, "{body}: {}", reply.text());
        reply.json()
    }

    /// The report of a snippet that must be admitted.
    #[track_caller]
    pub(crate) fn code(&self, code: &str) -> Value {
        self.run(&json!({ "code": code }))
    }

    /// `GET` on the public listener; must succeed.
    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Value {
        let reply = self.ask(&Ask::get(path));
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        reply.json()
    }

    /// A harmless run in the tier of `profile` succeeds.
    #[track_caller]
    pub(crate) fn assert_well(&self, profile: &str) {
        let report = self.run(&json!({"code": "export default ({ a, b }) => a * b", "input": {"a": 6, "b": 7}, "profile": profile}));
        assert_eq!((&report["outcome"], &report["result"]), (&json!("ok"), &json!(42)), "{report}");
    }

    /// What the running server finds when it verifies its log, asked by the command line.
    #[track_caller]
    pub(crate) fn verdict(&self) -> Value {
        command::verify(&self.data()).1
    }

    /// One metric's value; `series` with its labels as the exporter writes them.
    pub(crate) fn metric(&self, series: &str) -> f64 {
        let text = self.operator_get("/metrics").text();
        let line = text.lines().find_map(|line| line.strip_prefix(series).filter(|rest| rest.starts_with(' ')));
        line.unwrap_or_else(|| panic!("no {series} in\n{text}")).trim().parse().expect("a number")
    }

    /// SIGTERM, and the exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        process::signal(self.pid(), "TERM");
        self.await_exit()
    }

    /// The exit code of a server that was told to stop.
    pub(crate) fn await_exit(&mut self) -> Option<i32> {
        let status = eventually("the server exits", || self.child.try_wait().expect("a child"));
        status.code()
    }

    /// SIGKILL of the supervisor alone; gives its data folder.
    pub(crate) fn kill(mut self) -> Arc<TempDir> {
        let _ = (self.child.kill(), self.child.wait());
        Arc::clone(&self.data)
    }
}

impl Drop for House {
    fn drop(&mut self) {
        // The guardian first: afterwards the server's number may belong to somebody else.
        let _ = (self.guardian.kill(), self.guardian.wait());
        let _ = (self.child.kill(), self.child.wait());
    }
}

/// A shell that kills the server when this process is gone, however it went: its standard input ends then.
fn guardian(server: u32) -> Child {
    let script = format!("read nothing; kill -9 {server}");
    Command::new("sh").args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("sh starts")
}

/// The addresses that the server prints first; none when it ends, or says nothing for [`PATIENCE`].
fn listeners(child: &mut Child) -> Option<(String, String)> {
    let mut lines = BufReader::new(child.stdout.take()?).lines().map_while(Result::ok);
    let (said, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let both = (lines.next(), lines.next());
        // Whoever waited may have given up; the pipe is emptied all the same.
        let _ = said.send(both);
        lines.for_each(drop);
    });
    let (public, operator) = heard.recv_timeout(PATIENCE).ok()?;
    Some((address(&public?, "public")?, address(&operator?, "operator")?))
}

fn address(line: &str, name: &str) -> Option<String> {
    line.strip_prefix(&format!("listening {name} http://")).map(|address| address.trim_end_matches('/').to_owned())
}

/// Asks again until there is an answer.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// All that a child prints on a pipe.
pub(crate) fn read_all(pipe: Option<impl Read>) -> String {
    let mut text = String::new();
    if let Some(mut pipe) = pipe {
        pipe.read_to_string(&mut text).expect("text");
    }
    text
}
