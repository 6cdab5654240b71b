//! `cargo xtask conformance`: the connectrpc conformance suite, on the npm package as its users have it, and on the Rust
//! API under the clients that tonic generates.

use std::fs;
use std::path::{Path, PathBuf};

use crate::exec::{Error, Result, Run, doing};
use crate::report::Count;
use crate::rings::{browser, number_before};
use crate::servers::{self, Server};
use crate::{cache, machine, package, rust_web, say, tools};

const MODULE: &str = "connectrpc.com/conformance";
const VERSION: &str = "v1.0.5";
/// What its go.mod says.
const GO: &str = "1.24.0";
const FOLDER: &str = "tests/conformance";
/// The client on the Rust API.
pub(crate) const RUST: &str = "tests/conformance/rust";
/// gRPC-Web in base64.
const TEXT: &str = "text";
const REPORT: &str = "docs/conformance.md";

/// Cases, and where they are run.
struct Set {
    name: &'static str,
    /// `<config>.yaml`.
    config: &'static str,
    runtimes: &'static [&'static str],
}

impl Set {
    const fn of(name: &'static str, runtimes: &'static [&'static str]) -> Self {
        Self { name, config: name, runtimes }
    }

    const fn with(self, config: &'static str) -> Self {
        Self { config, ..self }
    }

    /// Ours in the suite's format, in the place of its own.
    fn is_beyond(&self) -> bool {
        self.name.contains("beyond")
    }

    fn is_rust(&self) -> bool {
        self.name.starts_with("rust")
    }

    fn is_through_gateway(&self) -> bool {
        self.config.ends_with("gateway")
    }
}

const SETS: &[Set] = &[
    Set::of("browser", &["chromium", "firefox"]),
    Set::of("gateway", &["chromium", "firefox", "node"]),
    Set::of("node", &["node"]),
    Set::of("fetch", &["workerd"]),
    Set::of(TEXT, &["chromium", "firefox"]),
    Set::of("beyond", &["chromium", "firefox"]).with("browser"),
    Set::of("beyond-gateway", &["chromium", "node"]).with("gateway"),
    Set::of("rust-browser", &["chromium", "firefox"]).with("browser"),
    Set::of("rust-gateway", &["chromium", "firefox"]).with("gateway"),
    Set::of("rust-beyond", &["chromium"]).with("browser"),
    Set::of("rust-beyond-gateway", &["chromium"]).with("gateway"),
];

/// The sets that are named, or all, in the runtime that is named, or in each, as often as is said; writes the report.
pub(crate) fn run(words: &[&str]) -> Result<()> {
    let (words, runs) = match words {
        [words @ .., "--runs", number] => (words, number.parse().unwrap_or(0)),
        words => (words, 1),
    };
    if runs == 0 {
        return Err(Error::failed("`--runs` stands at the end, with a number above 0 behind it"));
    }
    let (set, runtime) = (words.first(), words.get(1));
    let chosen = SETS.iter().filter(|one| set.is_none_or(|set| *set == one.name));
    let pairs = chosen.flat_map(|set| set.runtimes.iter().map(move |runtime| (set, *runtime)));
    let pairs: Vec<_> = pairs.filter(|(_, one)| runtime.is_none_or(|runtime| runtime == one)).collect();
    if pairs.is_empty() || words.len() > 2 {
        let all = SETS.iter().map(|set| format!("{} [{}]", set.name, set.runtimes.join(" | ")));
        let all: Vec<_> = all.collect();
        return Err(Error::failed(format!("no set `{}`; there are: {}", words.join(" "), all.join(", "))));
    }
    let mut failed = Vec::new();
    for (set, runtime) in pairs {
        let count = run_often(set, runtime, runs)?;
        write_report(set.name, runtime, &count, runs)?;
        if count.failed > 0 {
            failed.push(format!("{} in {runtime}", set.name));
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(Error::failed(format!("failed: {}", failed.join(", ")))) }
}

/// The same for the test command, which writes nothing: what the report says is to be true.
pub(crate) fn ring(set: &str, runtime: &str) -> Result<Count> {
    let set = SETS.iter().find(|one| one.name == set);
    let set = set.ok_or_else(|| Error::failed("the test command names a set that there is not"))?;
    let count = run_set(set, runtime)?;
    let (line, report) = (line(set.name, runtime, &count), read(&crate::root().join(REPORT))?);
    if count.failed == 0 && !report.contains(&line) {
        return Err(Error::failed(format!(
            "{REPORT} does not say\n{line}\n`cargo xtask conformance` writes it"
        )));
    }
    Ok(count)
}

/// The suite's runner; installed when it is missing.
pub(crate) fn setup() -> Result<PathBuf> {
    Ok(Suite::ready()?.runner)
}

/// The first run that fails, or the last.
fn run_often(set: &Set, runtime: &str, runs: usize) -> Result<Count> {
    let mut count = run_set(set, runtime)?;
    for _ in 1..runs {
        if count.failed > 0 {
            break;
        }
        let again = run_set(set, runtime)?;
        if again.failed == 0 && again != count {
            let (was, is) = (count.passed, again.passed);
            return Err(Error::failed(format!("{} in {runtime} had {was} cases, and {is} now", set.name)));
        }
        count = again;
    }
    Ok(count)
}

fn run_set(set: &Set, runtime: &str) -> Result<Count> {
    let browser = browser(runtime)?;
    let suite = Suite::ready()?;
    let rust = if set.is_rust() { Some(rust_client()?) } else { None };
    if rust.is_none() {
        package::build()?;
    }
    let gateway = if set.is_through_gateway() { Some(Gateway::start()?) } else { None };
    say(format_args!("the conformance suite's set \"{}\" in {runtime}", set.name));
    let run = Run::new(&suite.runner).words("--mode client --conf").arg(config(set));
    let run = beyond(set)?.iter().fold(run, |run, file| run.arg("--test-file").arg(file));
    let run = run.arg("--known-failing").arg(format!("@{FOLDER}/known-failing.txt"));
    let text = set.name == TEXT;
    let run = if text { run.arg("--run").arg("**/(grpc server impl)/**") } else { run };
    let run = run.words("-- node").arg(format!("{FOLDER}/client.mjs")).arg("--target").arg(runtime);
    let run = run.arg("--messages").arg(&suite.messages);
    let run = if text { run.arg("--text") } else { run };
    let run = gateway.iter().fold(run, |run, gateway| run.arg("--gateway").arg(&gateway.origin));
    let run = rust.iter().fold(run, |run, rust| run.arg("--rust").arg(rust));
    let run = run.envs(browser);
    let (output, error) = run.limit_secs(900).shown_anyway()?;
    let mut count = count(&output);
    if let Some(error) = error {
        count.failed = count.failed.max(1);
        count.why = Some(error.to_string());
    } else if count.passed == 0 {
        return Err(Error::failed("the suite's runner ran no case"));
    }
    Ok(count)
}

fn config(set: &Set) -> String {
    format!("{FOLDER}/{}.yaml", set.config)
}

/// Cases that stand in the place of the suite's own.
fn beyond(set: &Set) -> Result<Vec<PathBuf>> {
    if !set.is_beyond() {
        return Ok(Vec::new());
    }
    let folder = crate::root().join(FOLDER).join("beyond");
    let files = doing(format_args!("cannot list {}", folder.display()), fs::read_dir(&folder))?;
    Ok(files.flatten().map(|file| file.path()).collect())
}

/// `12 passed, 1 failed`, and `Another 3 could not be run …` behind it.
fn count(output: &str) -> Count {
    let number = |word| {
        output.lines().rev().find(|line| line.contains(word)).map_or(0, |line| number_before(line, word))
    };
    Count::default().plus(number(" passed, "), number(" failed") + number(" could not be run"))
}

/// The client on the Rust API for browsers: the folder of what wasm-bindgen makes of it.
fn rust_client() -> Result<PathBuf> {
    let folder = crate::root().join("target/conformance-rust");
    rust_web::build(RUST, "conformance-rust", "debug/conformance_rust", &folder, with_messages)
}

/// What it is generated from.
pub(crate) fn with_messages(build: Run) -> Result<Run> {
    Ok(build.env("CONFORMANCE_MESSAGES", Suite::ready()?.messages))
}

/// The suite's runner, and the descriptors of its messages.
struct Suite {
    runner: PathBuf,
    messages: PathBuf,
}

impl Suite {
    fn ready() -> Result<Self> {
        // Browsers are started as in the scenarios.
        tools::npm("tests/js").and_then(|()| tools::npm(FOLDER))?;
        let folder = cache::folder()?.join("tools").join(format!("conformance-{VERSION}"));
        let suite =
            Self { runner: folder.join("connectconformance"), messages: folder.join("messages.binpb") };
        doing("cannot make the suite's folder", fs::create_dir_all(&folder))?;
        let _lock = cache::lock(&folder.join("lock"))?;
        // The last that is made.
        if !suite.messages.exists() {
            suite.make(&folder)?;
        }
        Ok(suite)
    }

    fn make(&self, folder: &Path) -> Result<()> {
        say(format_args!("go install {MODULE} {VERSION} (a minute or two, once)"));
        let go = machine::go_release(folder, GO, &MODULE)?.limit_secs(1200);
        let install = go.clone().arg("install").arg(format!("{MODULE}/cmd/connectconformance@{VERSION}"));
        install.env("GOBIN", folder).quiet()?;
        let module = go.words("mod download -json").arg(format!("{MODULE}@{VERSION}")).quiet()?;
        let sources = field(&module, "Dir")
            .ok_or_else(|| Error::failed(format!("`go mod download` named no folder:\n{module}")))?;
        let buf = crate::root().join(FOLDER).join("node_modules/.bin/buf");
        // Its own configuration names a registry.
        let build = Run::new(buf).arg("build").arg(Path::new(sources).join("proto"));
        build.arg("--config").arg("{\"version\":\"v2\"}").arg("-o").arg(&self.messages).quiet().map(|_| ())
    }
}

/// The gateway before any port of this machine.
struct Gateway {
    origin: String,
    _server: Server,
}

impl Gateway {
    fn start() -> Result<Self> {
        let example = "conformance";
        Run::new("cargo").words("build --package tidewire-gateway --example").arg(example).shown()?;
        let binary = crate::target_folder().join("debug/examples").join(example);
        let mut server = Server::start(&Run::new(binary), false)?;
        let origin =
            server.wait_for("`listening on http://ADDRESS`", |text| servers::url(text, "http://"))?;
        Ok(Self { origin, _server: server })
    }
}

/// `"name": "value"` in JSON that a tool has indented.
fn field<'a>(json: &'a str, name: &str) -> Option<&'a str> {
    let lines = json.lines().map(|line| line.trim().trim_end_matches(','));
    let start = format!("\"{name}\": \"");
    lines.into_iter().find_map(|line| line.strip_prefix(&start)?.strip_suffix('"'))
}

/// Puts one result in its place; the others stay as they were.
fn write_report(set: &str, runtime: &str, count: &Count, runs: usize) -> Result<()> {
    let path = crate::root().join(REPORT);
    let old = fs::read_to_string(&path).unwrap_or_default();
    doing(format_args!("cannot write {REPORT}"), fs::write(path, report(&old, set, runtime, count, runs)?))
}

fn report(old: &str, set: &str, runtime: &str, count: &Count, runs: usize) -> Result<String> {
    let mut text = format!(
        "# Conformance\n\n\
         The [connectrpc conformance suite]({URL}) {VERSION}, with its\nown runner and servers: on the npm package, and \
         (`rust-…`) on [the Rust API](../{RUST}), under the clients\nthat tonic generates. `cargo xtask conformance` \
         runs it and writes this page; `cargo xtask test` runs most rows of it and\nfails where one is not true. No case \
         is known to fail and none is skipped: `{FOLDER}/known-failing.txt` is empty.\n\n\
         The sets `beyond` are [cases of our own](../{FOLDER}/beyond) in the suite's format. These and `rust-…` have\nthe \
         configurations browser and gateway. To cancel in Rust is to drop, after which there is nobody to ask: that such \
         a\ncall is CANCELED, the client of these tests says itself.\n\n\
         | set | runtime | cases | passed | failed | runs in a row |\n|---|---|---|---|---|---|\n"
    );
    for one in SETS {
        for place in one.runtimes {
            let row = if (one.name, *place) == (set, runtime) {
                Some(format!("{} {runs} |", line(set, runtime, count)))
            } else {
                let start = cells(one.name, place);
                old.lines().find(|line| line.starts_with(&start)).map(str::to_owned)
            };
            text.extend(row.map(|row| format!("{row}\n")));
        }
    }
    for one in SETS.iter().filter(|one| one.name == one.config) {
        let config = read(&crate::root().join(config(one)))?;
        text += &format!("\n## The set {}\n\n```yaml\n{config}```\n", one.name);
    }
    Ok(text)
}

const URL: &str = "https://github.com/connectrpc/conformance";

fn line(set: &str, runtime: &str, count: &Count) -> String {
    let Count { passed, failed, .. } = count;
    format!("{} {} | {passed} | {failed} |", cells(set, runtime), passed + failed)
}

fn cells(set: &str, runtime: &str) -> String {
    format!("| {set} | {runtime} |")
}

fn read(path: &Path) -> Result<String> {
    doing(format_args!("cannot read {}", path.display()), fs::read_to_string(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_that_could_not_be_run_are_failures() {
        let output = "FAILED: a\nTotal cases: 430\n428 passed, 2 failed\nAnother 3 could not be run due to client timing out\n";
        assert_eq!(count(output), Count::default().plus(428, 5));
        assert_eq!(count("Total cases: 2\n2 passed, 0 failed\n"), Count::default().plus(2, 0));
    }

    #[test]
    fn the_report_replaces_one_row_and_keeps_the_others() {
        let one = report("", "gateway", "node", &Count::default().plus(9, 1), 1).unwrap();
        assert!(one.contains("| gateway | node | 10 | 9 | 1 | 1 |\n"), "{one}");
        let two = report(&one, "node", "node", &Count::default().plus(5, 0), 1).unwrap();
        let three = report(&two, "gateway", "node", &Count::default().plus(10, 0), 5).unwrap();
        let rows: Vec<_> = three.lines().filter(|line| line.contains("| node |")).collect();
        assert_eq!(rows, ["| gateway | node | 10 | 10 | 0 | 5 |", "| node | node | 5 | 5 | 0 | 1 |"]);
    }

    #[test]
    fn a_field_is_read_from_what_go_prints() {
        assert_eq!(field("{\n\t\"Path\": \"a\",\n\t\"Dir\": \"/go/a@v1\"\n}", "Dir"), Some("/go/a@v1"));
    }
}
