//! The servers of others that tests run against, and the proxies that stand in front of them: how each is built, once
//! per state of its sources, and how it is started.
//!
//! A server takes `-port 0 -observed-port 0 -exit-on-stdin-eof` and prints, once it accepts calls, `listening on
//! HOST:PORT observed HOST:PORT`. A proxy takes `-port 0 -upstream HOST:PORT -exit-on-stdin-eof` and prints
//! `listening on HOST:PORT`. More pairs of a word and an address may follow, such as `tls HOST:PORT`.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use crate::exec::{Error, Result, Run, doing};
use crate::servers::{self, Server};
use crate::{apt, cache, machine, say, tools};

/// What the Go peers share.
const GO_SHARED: &[&str] = &["tests/peers/greeter", "examples/dubbo-go-in-process/web"];

/// Go sources of one folder serve several versions of dubbo-go: each has a module file of its own.
const DUBBO_GO: &str = "tests/peers/dubbo-go";

/// The dubbo-go of the demo and of the scenarios.
pub(crate) const NEWEST_DUBBO_GO: &str = "dubbo-go-v3.3.2";

/// The one with tests of its own that are no Go tests.
pub(crate) const DUBBO_JAVA: &str = "dubbo-java-3.3.6";

/// One server or proxy.
pub(crate) struct Peer {
    /// Also the path that the gateway has for it.
    pub(crate) name: &'static str,
    build: Build,
    /// Of a proxy: the server that it stands in front of.
    upstream: Option<&'static str>,
}

/// What makes a program of a folder's sources.
#[derive(Clone, Copy)]
pub(crate) enum Build {
    /// `go build` with this module file, in the cache. `tags` as the go command takes them.
    Go { folder: &'static str, module: &'static str, tags: &'static str },
    /// `go build` of the starter in this folder and of the tool that its go.mod names, side by side in the cache.
    GoTool { folder: &'static str },
    /// `mvn package`, which is to leave `target/peer.jar` with all that it needs in it.
    Maven { folder: &'static str },
    /// `npm ci`; `main.mjs` is the program.
    Npm { folder: &'static str },
    /// `pip install -r requirements.txt`, in the cache; `main.py` is the program.
    Pip { folder: &'static str },
    /// `cargo build` of a workspace of its own; its package is called like the folder.
    #[allow(dead_code, reason = "for the next server")]
    Cargo { folder: &'static str },
    /// The same program with more flags.
    With(&'static Self, &'static str),
    /// One of the programs of `demo/`.
    Demo { program: &'static str },
}

/// All of them. What a peer carries, and how it is called, is in `tests/js/interop/columns/`.
pub(crate) const PEERS: &[Peer] = &[
    Peer { name: NEWEST_DUBBO_GO, build: dubbo_go("go.mod", ""), upstream: None },
    Peer { name: "dubbo-go-v3.3.0", build: dubbo_go("dubbo-v3.3.0.mod", "before_v3_3_2"), upstream: None },
    Peer {
        name: "dubbo-go-v3.2.0-rc2",
        build: dubbo_go("dubbo-v3.2.0-rc2.mod", "before_v3_3_2,rc2"),
        upstream: None,
    },
    Peer { name: "dubbo-go-v3.3.2-tls", build: Build::With(&dubbo_go("go.mod", ""), "-tls"), upstream: None },
    Peer { name: DUBBO_JAVA, build: Build::Maven { folder: "tests/peers/dubbo-java" }, upstream: None },
    Peer { name: GRPC_GO, build: go("tests/peers/grpc-go"), upstream: None },
    Peer {
        name: "grpcwebproxy",
        build: Build::GoTool { folder: "tests/peers/grpcwebproxy" },
        upstream: Some(GRPC_GO),
    },
    Peer { name: "connect-go", build: go("tests/peers/connect-go"), upstream: None },
    Peer { name: "dubbo-node", build: Build::Npm { folder: "tests/peers/dubbo-node" }, upstream: None },
    Peer { name: TONIC_WEB, build: Build::Demo { program: "tonic-web-peer" }, upstream: None },
    Peer { name: "envoy-tonic", build: ENVOY, upstream: Some(TONIC_WEB) },
    Peer { name: "envoy-dubbo-go", build: ENVOY, upstream: Some(NEWEST_DUBBO_GO) },
    Peer { name: "envoy-dubbo-java", build: Build::With(&ENVOY, "-http1"), upstream: Some(DUBBO_JAVA) },
];

/// The servers whose own client makes the same calls: package `native` in their folder.
const WITH_NATIVE_CLIENT: [&str; 3] = [NEWEST_DUBBO_GO, "dubbo-go-v3.3.0", "dubbo-go-v3.2.0-rc2"];

const GRPC_GO: &str = "grpc-go";
const TONIC_WEB: &str = "tonic-web";
const ENVOY: Build = Build::Pip { folder: "tests/peers/envoy" };

const fn go(folder: &'static str) -> Build {
    Build::Go { folder, module: "go.mod", tags: "" }
}

const fn dubbo_go(module: &'static str, tags: &'static str) -> Build {
    Build::Go { folder: DUBBO_GO, module, tags }
}

impl Build {
    fn folder(&self) -> &'static str {
        match self {
            Self::Go { folder, .. }
            | Self::GoTool { folder }
            | Self::Maven { folder }
            | Self::Npm { folder }
            | Self::Pip { folder }
            | Self::Cargo { folder } => folder,
            Self::Demo { .. } => "demo",
            Self::With(build, _) => build.folder(),
        }
    }
}

impl Peer {
    /// The program, built if its sources have changed.
    pub(crate) fn program(&self) -> Result<Run> {
        match self.build {
            Build::With(build, flags) => {
                Self { build: *build, ..*self }.built(".").map(|run| run.words(flags))
            }
            _ => self.built("."),
        }
    }

    /// The program of a package in the folder: only Go has more than one.
    fn built(&self, package: &str) -> Result<Run> {
        let peers = cache::folder()?.join("peers");
        doing("cannot make the folder for peers", fs::create_dir_all(&peers))?;
        let _lock = cache::lock(&peers.join("lock"))?;
        let folder = crate::root().join(self.build.folder());
        let place = |name: &str, sources: &[PathBuf]| {
            Ok::<_, Error>(peers.join(format!("{}-{}", name.replace(['/', '.'], "-"), cache::hash(sources)?)))
        };
        let own = std::slice::from_ref(&folder);
        let shared = GO_SHARED.iter().map(|shared| crate::root().join(shared));
        let with_shared: Vec<PathBuf> = own.iter().cloned().chain(shared).collect();
        match self.build {
            Build::With(..) => Err(Error::failed(format!("{} has flags upon flags", self.name))),
            Build::Go { folder: name, module, tags } => {
                // One binary for all peers that differ in their flags only.
                let name = format!("{name}-{}{package}", module.trim_end_matches(".mod"));
                self.go(package, module, tags, &place(&name, &with_shared)?)
            }
            Build::GoTool { .. } => self.go_tool(&folder, &place(self.name, own)?),
            Build::Maven { .. } => self.maven(&folder, &place(self.name, own)?),
            Build::Npm { folder: name } => {
                tools::npm(name).map(|()| Run::new("node").arg(folder.join("main.mjs")))
            }
            // The same packages, whatever is behind them.
            Build::Pip { folder: name } => {
                self.pip(&folder, &place(name, &[folder.join("requirements.txt")])?)
            }
            Build::Cargo { .. } => self.cargo(&folder),
            Build::Demo { program } => {
                servers::build_demo().map(|()| Run::new(crate::target_folder().join("debug").join(program)))
            }
        }
    }

    fn native_client(&self) -> Result<Run> {
        self.built("./native")
    }

    fn go(&self, package: &str, module: &str, tags: &str, place: &Path) -> Result<Run> {
        let go = machine::go(&crate::root().join(self.build.folder()), module)?;
        self.once(place, "go build", |unfinished| {
            let build = go.words("build -modfile").arg(module).arg("-tags").arg(tags).arg("-o");
            build.arg(unfinished).arg(package).limit_secs(1200).quiet().map(|_| ())
        })?;
        Ok(Run::new(place))
    }

    fn go_tool(&self, folder: &Path, place: &Path) -> Result<Run> {
        let go = machine::go(folder, "go.mod")?;
        self.once(place, "go build", |unfinished| {
            doing("cannot make a folder for programs", fs::create_dir_all(unfinished))?;
            go.words("build -o").arg(unfinished).words(". tool").limit_secs(1200).quiet().map(|_| ())
        })?;
        Ok(Run::new(place.join("launch")))
    }

    fn maven(&self, folder: &Path, place: &Path) -> Result<Run> {
        apt::install("Java 17 and Maven", &["openjdk-17-jdk-headless", "maven"])?;
        let jar = place.with_added_extension("jar");
        self.once(&jar, "mvn package", |unfinished| {
            let target = crate::target_folder().join("peers").join(self.name);
            let build = Run::new("mvn").words("--batch-mode --quiet package");
            let build = build.arg(format!("-DbuildDirectory={}", target.display())).dir(folder);
            build.limit_secs(1200).quiet()?;
            doing("cannot keep the jar", fs::copy(target.join("peer.jar"), unfinished)).map(|_| ())
        })?;
        Ok(Run::new("java").arg("-jar").arg(jar))
    }

    fn pip(&self, folder: &Path, place: &Path) -> Result<Run> {
        apt::install("Python, pip and openssl", &["python3", "python3-pip", "openssl"])?;
        self.once(place, "pip install", |unfinished| {
            let _ = fs::remove_dir_all(unfinished);
            let pip = Run::new("python3").words("-m pip install --quiet --target").arg(unfinished);
            pip.arg("-r").arg(folder.join("requirements.txt")).limit_secs(600).quiet().map(|_| ())
        })?;
        Ok(Run::new("python3").arg(folder.join("main.py")).env("PYTHONPATH", place))
    }

    fn cargo(&self, folder: &Path) -> Result<Run> {
        let target = crate::target_folder().join("peers");
        let build = Run::new("cargo").words("build --quiet --locked").dir(folder);
        build.env("CARGO_TARGET_DIR", &target).limit_secs(1200).quiet()?;
        let name = folder.file_name().unwrap_or_default();
        Ok(Run::new(target.join("debug").join(name)))
    }

    /// Makes what is to be at `place`, unless it is there.
    fn once(&self, place: &Path, how: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
        if place.exists() {
            return Ok(());
        }
        say(format_args!("{how} of {} (minutes the first time, then once per change)", self.name));
        let unfinished = place.with_added_extension("unfinished");
        make(&unfinished)?;
        doing(format_args!("cannot put {} in place", self.name), fs::rename(&unfinished, place))
    }
}

/// Builds all that the table needs; says how many programs that is.
pub(crate) fn build_all() -> Result<usize> {
    let natives = WITH_NATIVE_CLIENT.iter().map(|name| named(name)?.native_client());
    let all = PEERS.iter().map(Peer::program).chain(natives);
    all.collect::<Result<Vec<_>>>().map(|programs| programs.len())
}

/// The peer of this name.
pub(crate) fn named(name: &str) -> Result<&'static Peer> {
    let names = || PEERS.iter().map(|peer| peer.name).collect::<Vec<_>>().join(", ");
    let found = PEERS.iter().find(|peer| peer.name == name);
    found.ok_or_else(|| Error::failed(format!("no peer is called `{name}`; there are: {}", names())))
}

/// The peers whose names begin with one of `words`, and those that they stand in front of; all of them without words.
pub(crate) fn chosen(words: &[&str]) -> Result<Vec<&'static Peer>> {
    for word in words.iter().filter(|word| !PEERS.iter().any(|peer| peer.name.starts_with(**word))) {
        named(word)?;
    }
    let asked = |name: &str| words.is_empty() || words.iter().any(|word| name.starts_with(word));
    let needed = |peer: &Peer| {
        asked(peer.name) || PEERS.iter().any(|proxy| asked(proxy.name) && proxy.upstream == Some(peer.name))
    };
    Ok(PEERS.iter().filter(|peer| needed(peer)).collect())
}

/// Runs the native clients side by side, each against the server of its version; gives what they printed by its name.
pub(crate) fn run_native() -> Result<Vec<(&'static str, String)>> {
    let servers: Vec<&Peer> = WITH_NATIVE_CLIENT.iter().map(|name| named(name)).collect::<Result<_>>()?;
    let clients: Vec<Run> = servers.iter().map(|peer| peer.native_client()).collect::<Result<_>>()?;
    let servers = start(&servers)?;
    thread::scope(|scope| {
        let runs = clients.into_iter().zip(&servers).map(|(client, server)| {
            let client = client.arg("-server").arg(server.address("on").unwrap_or_default());
            let client = client.arg("-observed").arg(server.address("observed").unwrap_or_default());
            (server.name, scope.spawn(move || client.limit_secs(120).quiet()))
        });
        let runs: Vec<_> = runs.collect();
        runs.into_iter().map(|(name, run)| Ok((name, joined(run)?))).collect()
    })
}

fn joined<T>(thread: thread::ScopedJoinHandle<'_, Result<T>>) -> Result<T> {
    thread.join().unwrap_or_else(|_| Err(Error::failed("the thread that runs a peer panicked")))
}

/// Those of `peers` that this machine can build, and whether that is all. Under CI it is an error to lack one.
pub(crate) fn buildable(peers: Vec<&'static Peer>) -> (Vec<&'static Peer>, bool) {
    let count = peers.len();
    let lacking = |peer: &Peer| match peer.program() {
        Err(Error::Missing(why)) if !crate::in_ci() => {
            say(format_args!("{}: left out: {why}", peer.name));
            true
        }
        // Any other error comes again when it is started.
        _ => false,
    };
    let mut kept: Vec<&Peer> = peers.into_iter().filter(|peer| !lacking(peer)).collect();
    let names: Vec<&str> = kept.iter().map(|peer| peer.name).collect();
    kept.retain(|peer| peer.upstream.is_none_or(|upstream| names.contains(&upstream)));
    let all = kept.len() == count;
    (kept, all)
}

/// A peer that runs until this is dropped.
pub(crate) struct Running {
    pub(crate) name: &'static str,
    /// What it is, for people.
    about: String,
    /// What it printed: `on` is where it is called, `observed` where its log is read.
    addresses: Vec<(String, String)>,
    _server: Server,
}

impl Running {
    pub(crate) fn address(&self, what: &str) -> Option<&str> {
        self.addresses.iter().find(|(word, _)| word == what).map(|(_, address)| address.as_str())
    }

    pub(crate) fn called(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// As `--mount` of the demo server takes it; none of a proxy, which has no log.
    pub(crate) fn mount(&self) -> Option<String> {
        let (service, observed) = (self.address("on")?, self.address("observed")?);
        let about = &self.about;
        Some(format!("{}=http://{service},observed=http://{observed},about={about}", self.name))
    }

    /// As `--peer` of the tests takes it: `NAME,on=HOST:PORT,observed=HOST:PORT`.
    pub(crate) fn describe(&self) -> String {
        let pairs = self.addresses.iter().map(|(word, address)| format!(",{word}={address}"));
        pairs.fold(self.name.to_owned(), |text, pair| text + &pair)
    }
}

/// Builds, then starts side by side; proxies when their servers are up.
pub(crate) fn start(peers: &[&'static Peer]) -> Result<Vec<Running>> {
    let programs: Vec<(&Peer, Run)> =
        peers.iter().map(|peer| Ok((*peer, peer.program()?))).collect::<Result<_>>()?;
    let (proxies, servers): (Vec<_>, Vec<_>) =
        programs.into_iter().partition(|(peer, _)| peer.upstream.is_some());
    let servers = servers.into_iter().map(|(peer, run)| (peer, run.words("-observed-port 0"))).collect();
    let mut running = side_by_side(servers)?;
    let before_its_server = |(peer, run): (&'static Peer, Run)| {
        let name = peer.upstream.unwrap_or_default();
        let server = running.iter().find(|server| server.name == name);
        let address = server.and_then(|server| server.address("on"));
        let address = address.ok_or_else(|| Error::failed(format!("{name} is not running")))?;
        Ok((peer, run.arg("-upstream").arg(address)))
    };
    let proxies = proxies.into_iter().map(before_its_server).collect::<Result<_>>()?;
    running.extend(side_by_side(proxies)?);
    Ok(running)
}

fn side_by_side(programs: Vec<(&'static Peer, Run)>) -> Result<Vec<Running>> {
    thread::scope(|scope| {
        let starts: Vec<_> = programs
            .into_iter()
            .map(|(peer, run)| scope.spawn(move || start_one(peer, &run.words("-port 0 -exit-on-stdin-eof"))))
            .collect();
        starts.into_iter().map(joined).collect()
    })
}

fn start_one(peer: &Peer, run: &Run) -> Result<Running> {
    let mut server = Server::start(run, false)?;
    let addresses = server.wait_for("`listening on HOST:PORT`", addresses)?;
    Ok(Running { name: peer.name, about: about(peer.name), addresses, _server: server })
}

/// `dubbo-go-v3.3.2` in words; without a comma, which would end it.
fn about(name: &str) -> String {
    format!("{} in a process of its own", name.replacen("-v", " v", 1))
}

/// `listening on A observed B` as pairs.
fn addresses(text: &str) -> Option<Vec<(String, String)>> {
    let line = text.lines().find_map(|line| line.strip_prefix("listening "))?;
    let words: Vec<&str> = line.split_whitespace().collect();
    Some(words.chunks_exact(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned())).collect())
}

/// Module file and tags of each version.
pub(crate) fn dubbo_go_versions() -> impl Iterator<Item = (&'static str, &'static str)> {
    PEERS.iter().filter_map(|peer| match peer.build {
        Build::Go { folder: DUBBO_GO, module, tags } => Some((module, tags)),
        _ => None,
    })
}

/// The sources of the dubbo-go greeter.
pub(crate) fn dubbo_go_folder() -> PathBuf {
    crate::root().join(DUBBO_GO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_from_what_a_peer_prints() {
        let found = addresses("log\nlistening on 127.0.0.1:1 observed 127.0.0.1:2\n").unwrap();
        let pair = |word: &str, address: &str| (word.to_owned(), address.to_owned());
        assert_eq!(found, [pair("on", "127.0.0.1:1"), pair("observed", "127.0.0.1:2")]);
        assert_eq!(addresses("still starting\n"), None);
    }

    #[test]
    fn a_peer_says_what_it_is() {
        assert_eq!(about("dubbo-go-v3.2.0-rc2"), "dubbo-go v3.2.0-rc2 in a process of its own");
        assert_eq!(about("grpc-go"), "grpc-go in a process of its own");
    }

    #[test]
    fn peers_are_chosen_by_the_beginning_of_their_names() {
        assert_eq!(chosen(&[]).unwrap().len(), PEERS.len());
        let some = chosen(&["dubbo-go"]).unwrap();
        assert!(!some.is_empty() && some.iter().all(|peer| peer.name.starts_with("dubbo-go")));
        assert!(chosen(&["nobody"]).err().unwrap().to_string().contains("no peer is called `nobody`"));
    }

    #[test]
    fn a_proxy_stands_in_front_of_a_peer_of_the_list() {
        for upstream in PEERS.iter().filter_map(|peer| peer.upstream) {
            assert!(named(upstream).unwrap().upstream.is_none(), "{upstream} is a proxy itself");
        }
    }
}
