//! `cargo xtask interop`: the table of calls (`tests/js/interop/`) against the peers, all of them side by side, and
//! `docs/interop.md`, which is written from its results.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::exec::{Error, Result, Run, doing};
use crate::peers::Running;
use crate::report::Count;
use crate::{package, peers, rings, say, servers, tools};

const TARGETS: &[&str] = &["node", "chromium"];

/// What is asked for on the command line.
#[derive(Default)]
struct Part<'a> {
    targets: Vec<&'a str>,
    peers: Vec<&'a str>,
    only: Option<&'a str>,
}

impl<'a> Part<'a> {
    fn of(words: &[&'a str]) -> Self {
        let mut part = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--only" => part.only = words.next().copied(),
                word if TARGETS.contains(&word) => part.targets.push(word),
                word => part.peers.push(word),
            }
        }
        part
    }

    fn is_all(&self) -> bool {
        self.targets.is_empty() && self.has_all_cells()
    }

    /// All of the runtimes that it is about.
    fn has_all_cells(&self) -> bool {
        self.peers.is_empty() && self.only.is_none()
    }
}

/// The table, or a part of it; the whole is written down.
pub(crate) fn run(words: &[&str]) -> Result<ExitCode> {
    let part = Part::of(words);
    let mut failed = 0;
    for target in TARGETS.iter().filter(|name| part.targets.is_empty() || part.targets.contains(name)) {
        let count = table(target, &part)?;
        count.why.iter().for_each(|why| say(format_args!("{target}: {why}")));
        failed += count.failed;
    }
    if failed > 0 {
        return Ok(ExitCode::FAILURE);
    }
    if part.is_all() {
        native()?;
        document("--write")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The whole table in one runtime.
pub(crate) fn ring(target: &str) -> Result<Count> {
    table(target, &Part::default())
}

/// The same calls by dubbo-go's own client, of each version.
pub(crate) fn native() -> Result<Count> {
    let mut rows = 0;
    for (server, printed) in peers::run_native()? {
        // It logs to the same stream.
        let lines: Vec<&str> = printed.lines().filter(|line| line.starts_with('{')).collect();
        rows += lines.len();
        let file = results()?.join(format!("client-of-{server}.json"));
        let text = format!("[{}]", lines.join(",\n"));
        doing(format_args!("cannot write {}", file.display()), fs::write(&file, text))?;
    }
    say(format_args!("dubbo-go's own client: {rows} rows"));
    Ok(Count::default().plus(rows, 0))
}

/// Whether docs/interop.md says what the last runs found.
pub(crate) fn check() -> Result<Count> {
    for target in TARGETS {
        if !results()?.join(format!("{target}.json")).exists() {
            return Err(Error::missing(format!("the table has not run in {target}, or not all of it")));
        }
    }
    document("--check").map(|()| Count::check())
}

fn table(target: &str, part: &Part<'_>) -> Result<Count> {
    let file = results()?.join(format!("{target}.json"));
    if part.has_all_cells() {
        // Whatever ends this run early, the page is not to be judged by an older one.
        let _ = fs::remove_file(&file);
    }
    let browser = rings::browser(target)?;
    package::build()?;
    tools::npm("tests/js")?;
    servers::build_demo()?;
    let (peers, all) = peers::buildable(peers::chosen(&part.peers)?);
    let running = peers::start(&peers)?;
    let mut described: Vec<String> = running.iter().map(Running::describe).collect();
    if part.peers.is_empty() {
        // The demo server's own greeter.
        described.push("tonic".to_owned());
    }
    let demo = servers::test_demo(running)?;

    let run = demo.script("interop/run.mjs", target);
    let run = described.iter().fold(run, |run, peer| run.arg("--peer").arg(peer));
    let run = part.only.iter().fold(run, |run, only| run.arg("--only").arg(only));
    let run = run.envs(browser);
    let run = if all && part.has_all_cells() { run.arg("--results").arg(&file) } else { run };
    rings::counted(run, rings::js_count)
}

fn document(mode: &str) -> Result<()> {
    let run = Run::new("node").words("interop/document.mjs").arg(mode).arg(results()?);
    run.dir(crate::root().join("tests/js")).shown().map(|_| ())
}

/// Where each runtime's results are.
fn results() -> Result<PathBuf> {
    let folder = crate::target_folder().join("interop");
    doing("cannot make target/interop", fs::create_dir_all(&folder))?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_named_by_runtimes_peers_and_text() {
        let part = Part::of(&["node", "envoy", "--only", "cancel", "dubbo-go-v3.3.0"]);
        assert_eq!(part.targets, ["node"]);
        assert_eq!(part.peers, ["envoy", "dubbo-go-v3.3.0"]);
        assert_eq!(part.only, Some("cancel"));
        assert!(!part.is_all());
        assert!(Part::of(&[]).is_all());
    }
}
