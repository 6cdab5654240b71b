//! Nothing that we started outlives us. Each process group is registered with a small shell that reads our pipe:
//! however we end (return, Ctrl-C, kill -9 by a CI time-out), the pipe closes and the shell kills what is left.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

const WATCHER: &str = r#"
trap '' INT TERM HUP
groups=
while read -r word id; do
  case $word in
    watch) groups="$groups $id" ;;
    forget) rest=; for group in $groups; do [ "$group" = "$id" ] || rest="$rest $group"; done; groups=$rest ;;
  esac
done
[ -n "$groups" ] || exit 0
for group in $groups; do kill -s TERM -- "-$group"; done 2>/dev/null
sleep 1
for group in $groups; do kill -s KILL -- "-$group"; done 2>/dev/null
"#;

static PIPE: OnceLock<Option<Mutex<ChildStdin>>> = OnceLock::new();

/// Kills the process group when dropped.
#[derive(Debug)]
pub(crate) struct Group(u32);

/// `id` is the process that leads the group.
pub(crate) fn watch(id: u32) -> Group {
    tell("watch", id);
    Group(id)
}

impl Drop for Group {
    fn drop(&mut self) {
        // The group may be gone already: that is the usual case, and then there is nothing to say.
        let script = "kill -s TERM -- -$1 && sleep 0.2 && kill -s KILL -- -$1";
        let kill =
            Command::new("sh").args(["-c", script, "sh", &self.0.to_string()]).stderr(Stdio::null()).status();
        if kill.is_ok() {
            tell("forget", self.0);
        }
    }
}

fn tell(word: &str, id: u32) {
    if let Some(pipe) = PIPE.get_or_init(start_watcher) {
        let mut pipe = pipe.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = writeln!(pipe, "{word} {id}");
    }
}

fn start_watcher() -> Option<Mutex<ChildStdin>> {
    let mut shell = Command::new("sh");
    shell.args(["-c", WATCHER]).process_group(0);
    let shell = shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    shell.ok()?.stdin.map(Mutex::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader};

    #[test]
    fn dropping_a_group_ends_its_grandchildren() {
        let mut shell = Command::new("sh");
        shell.args(["-c", "sleep 600 & echo started; wait"]).process_group(0).stdout(Stdio::piped());
        let mut shell = shell.spawn().unwrap();
        let mut output = BufReader::new(shell.stdout.take().unwrap());
        let group = watch(shell.id());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(line, "started\n");

        drop(group);

        // The background sleep holds the pipe: end of file means that it is gone too.
        assert_eq!(output.read_line(&mut line).unwrap(), 0);
        shell.wait().unwrap();
    }

    #[test]
    fn our_own_death_ends_what_we_watched_and_spares_what_we_forgot() {
        let start = || {
            let mut shell = Command::new("sh");
            shell.args(["-c", "echo started; exec sleep 600"]).process_group(0).stdout(Stdio::piped());
            shell.spawn().unwrap()
        };
        let (mut watched, mut forgotten) = (start(), start());
        let pipe = start_watcher().unwrap();
        for (word, child) in [("watch", &watched), ("watch", &forgotten), ("forget", &forgotten)] {
            writeln!(pipe.lock().unwrap(), "{word} {}", child.id()).unwrap();
        }

        drop(pipe); // what the kernel does when a process dies

        assert!(!watched.wait().unwrap().success());
        assert!(forgotten.try_wait().unwrap().is_none(), "it was killed although it was forgotten");
        forgotten.kill().unwrap();
        forgotten.wait().unwrap();
    }
}
