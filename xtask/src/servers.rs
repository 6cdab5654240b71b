//! Servers as processes that end with us; the demo server (tonic greeter, gateway, pages) with the peers behind it.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::exec::{Error, Output, Result, Run, doing};
use crate::guard::{self, Group};
use crate::peers::{self, Running};

/// A slow machine with a cold disk; a server that is up says so within a second.
const STARTUP: Duration = Duration::from_secs(60);

/// A process that serves: stopped when dropped, and by the end of its stdin when we die.
pub(crate) struct Server {
    command: String,
    child: Child,
    output: Output,
    lines: Option<Receiver<String>>,
    _stdin: Option<ChildStdin>,
    group: Option<Group>,
}

impl Server {
    pub(crate) fn start(run: &Run, show: bool) -> Result<Self> {
        let mut child = run.spawn(Stdio::piped())?;
        let group = guard::watch(child.id());
        let output = Output::default();
        let (done, _) = mpsc::channel();
        output.collect(child.stderr.take(), show, done);
        let (send, lines) = mpsc::channel();
        let (kept, stdout) = (output.clone(), child.stdout.take());
        thread::spawn(move || {
            for line in stdout
                .into_iter()
                .flat_map(|pipe| BufReader::new(pipe).lines())
                .map_while(std::io::Result::ok)
            {
                kept.push(format!("{line}\n").as_bytes());
                if show {
                    println!("{line}");
                }
                let _ = send.send(line);
            }
        });
        let stdin = child.stdin.take();
        Ok(Self {
            command: run.to_string(),
            child,
            output,
            lines: Some(lines),
            _stdin: stdin,
            group: Some(group),
        })
    }

    /// The first thing that `find` finds in all that the server has printed so far.
    pub(crate) fn wait_for<T>(&mut self, what: &str, find: impl Fn(&str) -> Option<T>) -> Result<T> {
        let deadline = Instant::now() + STARTUP;
        let mut text = String::new();
        while let Some(lines) = &self.lines {
            match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => text = format!("{text}{line}\n"),
                Err(RecvTimeoutError::Timeout) => return Err(self.failure(&format!("did not print {what}"))),
                Err(RecvTimeoutError::Disconnected) => return Err(self.failure("ended while it started")),
            }
            if let Some(found) = find(&text) {
                // Nobody reads on: the channel must not fill.
                self.lines = None;
                return Ok(found);
            }
        }
        Err(self.failure("was asked twice"))
    }

    /// Until the server ends by itself.
    pub(crate) fn wait(mut self) -> Result<()> {
        let status = doing(format_args!("cannot wait for `{}`", self.command), self.child.wait())?;
        if status.success() { Ok(()) } else { Err(self.failure(&format!("ended ({status})"))) }
    }

    fn failure(&self, how: &str) -> Error {
        Error::failed(format!("`{}` {how}; its output:\n{}", self.command, self.output.text()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.group.take());
        let _ = self.child.wait();
    }
}

/// The demo server, where it listens, and the peers that it is in front of.
pub(crate) struct Demo {
    pub(crate) server: Server,
    pub(crate) origin: String,
    pub(crate) tls_origin: Option<String>,
    _peers: Vec<Running>,
}

pub(crate) fn build_demo() -> Result<()> {
    Run::new("cargo").words("build --package tidewire-demo").shown().map(|_| ())
}

/// The dubbo-go server of the demo and of the scenarios, called just that.
pub(crate) fn dubbo_go() -> Result<Vec<Running>> {
    let running = peers::start(&[peers::named(peers::NEWEST_DUBBO_GO)?])?;
    Ok(running.into_iter().map(|peer| peer.called("dubbo-go")).collect())
}

/// The demo server, built before, with these flags besides the folders of the repository, and with all `peers` mounted
/// at their names.
pub(crate) fn demo(peers: Vec<Running>, flags: &[String], show: bool) -> Result<Demo> {
    let root = crate::root();
    let binary = crate::target_folder().join("debug/tidewire-demo");
    let mut run = Run::new(binary).arg("--exit-on-stdin-eof");
    run = run.arg("--www").arg(root.join("www")).arg("--package").arg(root.join("pkg-config/dist"));
    run = peers.iter().filter_map(Running::mount).fold(run, |run, mount| run.arg("--mount").arg(mount));
    let with_tls = flags.iter().any(|flag| flag == "--tls-listen");
    let mut server = Server::start(&flags.iter().fold(run, Run::arg), show)?;
    let origins = |text: &str| {
        let tls = url(text, "https://");
        (!with_tls || tls.is_some()).then(|| Some((url(text, "http://")?, tls))).flatten()
    };
    let (origin, tls_origin) = server.wait_for("`listening on http://ADDRESS`", origins)?;
    Ok(Demo { server, origin, tls_origin, _peers: peers })
}

/// The demo server for the scripts of `tests/js`: with TLS, and with their files.
pub(crate) fn test_demo(peers: Vec<Running>) -> Result<Demo> {
    test_demo_with(peers, &[])
}

/// The same with more folders, each at its path.
pub(crate) fn test_demo_with(peers: Vec<Running>, folders: &[(&str, PathBuf)]) -> Result<Demo> {
    let flags = ["--listen", "127.0.0.1:0", "--tls-listen", "127.0.0.1:0"].map(str::to_owned);
    let pages = ("/tests", crate::root().join("tests/js"));
    let folders = [&[pages], folders].concat();
    let also =
        folders.iter().flat_map(|(path, folder)| ["--also".into(), format!("{path}={}", folder.display())]);
    demo(peers, &flags.into_iter().chain(also).collect::<Vec<_>>(), false)
}

impl Demo {
    /// A script of `tests/js` against this server.
    pub(crate) fn script(&self, script: &str, target: &str) -> Run {
        let run = Run::new("node").arg(script).arg("--target").arg(target).arg("--origin").arg(&self.origin);
        let run = self.tls_origin.iter().fold(run, |run, origin| run.arg("--tls-origin").arg(origin));
        run.dir(crate::root().join("tests/js")).limit_secs(1200)
    }
}

/// The first URL of a scheme in a server's words.
pub(crate) fn url(text: &str, scheme: &str) -> Option<String> {
    let start = text.find(scheme)?;
    let end = text[start..].find(char::is_whitespace).map_or(text.len(), |length| start + length);
    Some(text[start..end].trim_end_matches(['/', ',', ';', '.']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_from_what_the_servers_print() {
        let text = "starting\nlistening on http://127.0.0.1:8080/\nlistening on https://127.0.0.1:8443\n";
        assert_eq!(url(text, "http://").unwrap(), "http://127.0.0.1:8080");
        assert_eq!(url(text, "https://").unwrap(), "https://127.0.0.1:8443");
    }

    #[test]
    fn a_server_that_dies_at_once_is_reported_with_its_words() {
        let run = Run::new("sh").arg("-c").arg("echo the port is taken >&2; exit 1");
        let error =
            Server::start(&run, false).unwrap().wait_for("a line", |_| Some(())).unwrap_err().to_string();
        assert!(error.contains("ended while it started"), "{error}");
    }

    #[test]
    fn a_server_ends_when_it_is_dropped() {
        let run = Run::new("sh").arg("-c").arg("echo ready; sleep 600");
        let mut server = Server::start(&run, false).unwrap();
        server.wait_for("ready", |text| text.contains("ready").then_some(())).unwrap();
        let begun = Instant::now();
        drop(server);
        assert!(begun.elapsed() < Duration::from_secs(60));
    }
}
