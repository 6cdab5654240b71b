//! `cargo xtask demo`: everything that a newcomer needs to see a stream, and nothing else.

use crate::exec::Result;
use crate::{package, say, servers};

/// `flags` go to the demo server as they are: `--listen ADDRESS`, `--upstream URL`, …
pub(crate) fn run(flags: &[String]) -> Result<()> {
    package::build()?;
    servers::build_demo()?;
    let peers = servers::dubbo_go()
        .map_err(|error| say(format_args!("without the dubbo-go server (tonic is there): {error}")))
        .unwrap_or_default();
    let mut flags = flags.to_vec();
    if !flags.iter().any(|flag| flag == "--listen" || flag.starts_with("--listen=")) {
        flags.extend(["--listen".to_owned(), "127.0.0.1:8080".to_owned()]);
    }
    let demo = servers::demo(peers, &flags, true)?;
    println!("\n  Tidewire's demo is at {}   (Ctrl-C ends it)\n", demo.origin);
    demo.server.wait()
}
