//! Runs other programs: with a time limit, in a process group of their own, and with an error that says which
//! command failed, how, and what it printed last.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, mpsc};
use std::thread;
use std::time::Duration;

use crate::guard;

/// Long enough for any build on a small machine; nothing may hang for ever.
const DEFAULT_LIMIT: Duration = Duration::from_secs(40 * 60);
/// What is kept of a command's output: enough to count tests and to show a tail.
const KEPT_BYTES: usize = 4 << 20;
/// How much of it an error repeats: little when it was shown already.
const TAIL_LINES: usize = 40;
const TAIL_LINES_SHOWN: usize = 12;

pub(crate) type Result<T> = std::result::Result<T, Error>;

#[derive(Debug, Clone)]
pub(crate) enum Error {
    /// Something that is no part of the repository is not on this machine, and we could not get it.
    Missing(String),
    Failed(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Missing(message) | Self::Failed(message)) = self;
        f.write_str(message)
    }
}

impl Error {
    pub(crate) fn missing(message: impl Into<String>) -> Self {
        Self::Missing(message.into())
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::Failed(message.into())
    }
}

/// Joins an I/O error with what was being done.
pub(crate) fn doing<T>(what: impl fmt::Display, result: std::io::Result<T>) -> Result<T> {
    result.map_err(|error| Error::failed(format!("{what}: {error}")))
}

/// A command to run: built like `std::process::Command`.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    program: OsString,
    args: Vec<OsString>,
    env: Vec<(OsString, Option<OsString>)>,
    dir: PathBuf,
    limit: Duration,
}

impl Run {
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            args: Vec::new(),
            env: Vec::new(),
            dir: crate::root(),
            limit: DEFAULT_LIMIT,
        }
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// The last argument: of `java -jar FILE` the file.
    pub(crate) fn last_arg(&self) -> &OsStr {
        self.args.last().map_or_else(|| OsStr::new(""), OsString::as_os_str)
    }

    /// Words separated by blanks, as one would type them.
    pub(crate) fn words(self, words: &str) -> Self {
        words.split_whitespace().fold(self, Self::arg)
    }

    pub(crate) fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().to_owned(), Some(value.as_ref().to_owned())));
        self
    }

    pub(crate) fn envs<N: AsRef<OsStr>, V: AsRef<OsStr>>(
        self,
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        pairs.into_iter().fold(self, |run, (name, value)| run.env(name, value))
    }

    pub(crate) fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().to_owned(), None));
        self
    }

    pub(crate) fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = dir.into();
        self
    }

    pub(crate) fn limit_secs(mut self, seconds: u64) -> Self {
        self.limit = Duration::from_secs(seconds);
        self
    }

    /// Runs without showing the output; gives it back.
    pub(crate) fn quiet(self) -> Result<String> {
        self.run(false).and_then(strict)
    }

    /// Runs and shows the output as it comes; gives it back as well.
    pub(crate) fn shown(self) -> Result<String> {
        self.run(true).and_then(strict)
    }

    /// Like [`Run::shown`], but the output is given back also when the command fails, with the error.
    pub(crate) fn shown_anyway(self) -> Result<(String, Option<Error>)> {
        self.run(true)
    }

    /// Starts a process in its own group, with pipes. The caller registers it with [`guard`].
    pub(crate) fn spawn(&self, stdin: Stdio) -> Result<Child> {
        let mut command = Command::new(&self.program);
        command.args(&self.args).current_dir(&self.dir).process_group(0);
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        for (name, value) in &self.env {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                Error::missing(format!("`{}` was not found on PATH", self.name()))
            }
            _ => Error::failed(format!("`{self}` could not be started: {error}")),
        })
    }

    fn run(self, show: bool) -> Result<(String, Option<Error>)> {
        let mut child = self.spawn(Stdio::null())?;
        let group = guard::watch(child.id());
        let output = Output::default();
        let (done, readers) = mpsc::channel();
        output.collect(child.stdout.take(), show, done.clone());
        output.collect(child.stderr.take(), show, done);
        let (exited, exit) = mpsc::channel();
        thread::spawn(move || exited.send(child.wait()));
        let waited = exit.recv_timeout(self.limit);
        // Whatever the command left behind would keep the pipes open; and nothing may outlive its command.
        drop(group);
        for _ in 0..2 {
            let _ = readers.recv_timeout(Duration::from_secs(5));
        }
        let text = output.text();
        let how = match waited {
            Ok(Ok(status)) if status.success() => return Ok((text, None)),
            Ok(Ok(status)) => describe(status),
            Ok(Err(error)) => format!("could not be waited for ({error})"),
            Err(_) => format!("took longer than {} s", self.limit.as_secs()),
        };
        let tail = tail(&text, if show { TAIL_LINES_SHOWN } else { TAIL_LINES });
        let error = Error::failed(format!("`{self}` {how}\n  the end of its output:\n    {tail}"));
        Ok((text, Some(error)))
    }

    fn name(&self) -> String {
        self.program.to_string_lossy().into_owned()
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())?;
        self.args.iter().try_for_each(|arg| write!(f, " {}", arg.to_string_lossy()))
    }
}

fn strict((output, error): (String, Option<Error>)) -> Result<String> {
    error.map_or(Ok(output), Err)
}

fn tail(output: &str, count: usize) -> String {
    let lines: Vec<&str> = output.trim_end().lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n    ")
}

fn describe(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("ended with exit code {code}"),
        None => format!("was killed ({status})"),
    }
}

/// The last [`KEPT_BYTES`] of what a command wrote on both pipes.
#[derive(Clone, Default)]
pub(crate) struct Output(Arc<Mutex<VecDeque<u8>>>);

impl Output {
    /// Reads a pipe to its end on a thread of its own, then sends on `done`.
    pub(crate) fn collect(
        &self,
        pipe: Option<impl Read + Send + 'static>,
        show: bool,
        done: mpsc::Sender<()>,
    ) {
        let kept = self.clone();
        thread::spawn(move || {
            let mut buffer = [0; 8192];
            if let Some(mut pipe) = pipe {
                while let Ok(count @ 1..) = pipe.read(&mut buffer) {
                    kept.push(&buffer[..count]);
                    if show {
                        let mut out = std::io::stdout().lock();
                        let _ = out.write_all(&buffer[..count]).and_then(|()| out.flush());
                    }
                }
            }
            let _ = done.send(());
        });
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(self.bytes().make_contiguous()).into_owned()
    }

    pub(crate) fn push(&self, bytes: &[u8]) {
        let mut kept = self.bytes();
        kept.extend(bytes);
        let excess = kept.len().saturating_sub(KEPT_BYTES);
        kept.drain(..excess);
    }

    fn bytes(&self) -> MutexGuard<'_, VecDeque<u8>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_command_the_code_and_the_tail() {
        let error = Run::new("sh").arg("-c").arg("echo so far; exit 3").quiet().unwrap_err().to_string();
        assert!(error.contains("`sh -c echo so far; exit 3` ended with exit code 3"), "{error}");
        assert!(error.ends_with("    so far"), "{error}");
    }

    #[test]
    fn a_hanging_command_is_stopped_with_everything_it_started() {
        let begun = std::time::Instant::now();
        let error = Run::new("sh").arg("-c").arg("sleep 600 & sleep 600").limit_secs(1).quiet().unwrap_err();
        assert!(error.to_string().contains("took longer than 1 s"), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(60), "the background sleep kept us waiting");
    }

    #[test]
    fn a_program_that_is_not_there_is_missing_not_failed() {
        assert!(matches!(Run::new("tidewire-no-such-program").quiet(), Err(Error::Missing(_))));
    }

    #[test]
    fn a_flood_of_output_keeps_its_end() {
        let text = Run::new("sh").arg("-c").arg("yes | head -c 6000000; echo end").quiet().unwrap();
        assert!(text.ends_with("end\n"));
        assert_eq!(text.len(), KEPT_BYTES);
    }
}
