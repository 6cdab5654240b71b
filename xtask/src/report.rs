//! `cargo xtask test`: runs the rings, all of them whatever fails, and says at the end what ran, what failed, and
//! what was left out and why.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::exec::{Error, Result};
use crate::rings::{RINGS, Ring};
use crate::say;

/// What a ring counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    /// Of a failure: what there is to say beyond the output shown.
    pub(crate) why: Option<String>,
}

impl Count {
    /// A ring that is one check.
    pub(crate) fn check() -> Self {
        Self::default().plus(1, 0)
    }

    pub(crate) fn plus(self, passed: usize, failed: usize) -> Self {
        Self { passed: self.passed + passed, failed: self.failed + failed, why: self.why }
    }
}

enum Outcome {
    Ran(Count),
    LeftOut(String),
}

struct Line {
    name: &'static str,
    outcome: Outcome,
    took: Duration,
}

/// All rings, or those whose name begins with `words`.
pub(crate) fn test(words: &[&str]) -> Result<ExitCode> {
    let chosen: Vec<&Ring> = RINGS.iter().filter(|ring| begins_with(ring.name, words)).collect();
    if chosen.is_empty() {
        let names: Vec<&str> = RINGS.iter().map(|ring| ring.name).collect();
        return Err(Error::failed(format!("no ring `{}`; there are: {}", words.join(" "), names.join(", "))));
    }
    let lines: Vec<Line> = chosen.into_iter().map(run).collect();
    print!("\n{}", table(&lines));
    let (passed, failed) = totals(&lines);
    println!("{passed} passed, {failed} failed");
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn begins_with(name: &str, words: &[&str]) -> bool {
    let mut parts = name.split(' ');
    words.iter().all(|word| parts.next() == Some(word))
}

fn run(ring: &Ring) -> Line {
    say(format_args!("── {} ──", ring.name));
    let begun = Instant::now();
    let outcome = outcome((ring.run)(), crate::in_ci());
    match &outcome {
        Outcome::Ran(Count { why: Some(why), .. }) => say(format_args!("{}: {why}", ring.name)),
        Outcome::LeftOut(why) => say(format_args!("{}: left out: {why}", ring.name)),
        Outcome::Ran(_) => {}
    }
    Line { name: ring.name, outcome, took: begun.elapsed() }
}

/// What is missing on a developer's machine is left out by name; in CI nothing may be left out.
fn outcome(result: Result<Count>, in_ci: bool) -> Outcome {
    match result {
        Ok(count) => Outcome::Ran(count),
        Err(Error::Missing(why)) if !in_ci => Outcome::LeftOut(why),
        Err(error) => Outcome::Ran(Count { passed: 0, failed: 1, why: Some(error.to_string()) }),
    }
}

fn totals(lines: &[Line]) -> (usize, usize) {
    lines.iter().fold((0, 0), |(passed, failed), line| match &line.outcome {
        Outcome::Ran(count) => (passed + count.passed, failed + count.failed),
        Outcome::LeftOut(_) => (passed, failed),
    })
}

fn table(lines: &[Line]) -> String {
    let mut text = format!("{:20} {:>8} {:>8} {:>9}\n", "ring", "passed", "failed", "seconds");
    for Line { name, outcome, took } in lines {
        let seconds = took.as_secs_f32();
        match outcome {
            Outcome::Ran(Count { passed, failed, why }) => {
                let why = why.as_deref().and_then(|why| why.lines().next()).unwrap_or_default();
                let line = format!("{name:20} {passed:>8} {failed:>8} {seconds:>9.1}  {why}");
                text = format!("{text}{}\n", line.trim_end());
            }
            Outcome::LeftOut(why) => {
                let why = why.lines().next().unwrap_or_default();
                text = format!("{text}{name:20} {:>8} {:>8} {seconds:>9.1}  left out: {why}\n", "-", "-");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &'static str, outcome: Outcome) -> Line {
        Line { name, outcome, took: Duration::from_millis(1500) }
    }

    #[test]
    fn what_is_missing_is_left_out_here_and_fails_in_ci() {
        let missing = || Err(Error::missing("no Firefox"));
        assert!(matches!(outcome(missing(), false), Outcome::LeftOut(why) if why == "no Firefox"));
        assert!(matches!(outcome(missing(), true), Outcome::Ran(Count { failed: 1, .. })));
        assert!(matches!(
            outcome(Err(Error::failed("broken")), false),
            Outcome::Ran(Count { failed: 1, .. })
        ));
    }

    #[test]
    fn the_table_says_what_ran_and_what_did_not() {
        let lines = [
            line("native", Outcome::Ran(Count::default().plus(12, 0))),
            line("js node", outcome(Err(Error::failed("`node run.mjs` ended\nlong tail")), true)),
            line("js firefox", Outcome::LeftOut("Firefox is not here".into())),
        ];
        let table = table(&lines);
        let rows: Vec<&str> = table.lines().collect();
        assert_eq!(rows[1], "native                     12        0       1.5");
        assert_eq!(rows[2], "js node                     0        1       1.5  `node run.mjs` ended");
        assert_eq!(
            rows[3],
            "js firefox                  -        -       1.5  left out: Firefox is not here"
        );
        assert_eq!(totals(&lines), (12, 1));
    }

    #[test]
    fn rings_are_chosen_by_their_first_words() {
        assert!(begins_with("js chromium", &["js"]));
        assert!(begins_with("js chromium", &["js", "chromium"]));
        assert!(begins_with("js chromium", &[]));
        assert!(!begins_with("js chromium", &["js", "chrom"]));
        assert!(!begins_with("js", &["js", "node"]));
    }
}
