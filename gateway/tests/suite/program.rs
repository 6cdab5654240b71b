//! The program: flags, the line it prints, SIGTERM.

use std::process::Stdio;

use h2::Reason;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::clients::Running;
use crate::harness::{Upstream, message, ok, soon};

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidewire-gateway"));
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// Starts it, waits for its line, and wraps its address so that the clients of these tests can call it.
async fn start(upstream: &Upstream, more: &[&str]) -> (Child, Running) {
    let url = upstream.url();
    let mut child =
        command(&[&["--listen", "127.0.0.1:0", "--upstream", &url], more].concat()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = soon(lines.next_line()).await.unwrap().unwrap();
    let address = line.strip_prefix("tidewire-gateway listens on http://").expect(&line).parse().unwrap();
    // Only its clients are used, not the gateway inside.
    let gateway = tidewire_gateway::Gateway::builder().upstream(url).build().unwrap();
    (child, Running { address, gateway })
}

async fn terminate(child: &Child) {
    let id = child.id().unwrap().to_string();
    assert!(soon(Command::new("kill").arg(id).status()).await.unwrap().success());
}

#[tokio::test]
async fn sigterm_lets_calls_end() {
    let mut upstream = Upstream::start().await;
    let (mut child, gateway) = start(&upstream, &[]).await;
    let mut client = gateway.relay().await;
    let (id, mut call) = client.begins(&mut upstream).await;
    let mut answer = call.answers();
    client.head(id).await;

    terminate(&child).await;
    client.next().await; // GOAWAY
    client.sends(id, message(b"still here"));
    client.flush().await;
    call.reads(&message(b"still here")).await;
    answer.send_trailers(ok()).unwrap();
    client.trailers(id).await;
    client.reset(id).await;
    client.next().await; // closed
    assert!(soon(child.wait()).await.unwrap().success());
}

#[tokio::test]
async fn the_drain_timeout_ends_what_does_not() {
    let mut upstream = Upstream::start().await;
    let (mut child, gateway) = start(&upstream, &["--drain-timeout", "0.1", "--log", "json"]).await;
    let mut client = gateway.relay().await;
    let (_, mut call) = client.begins(&mut upstream).await;
    terminate(&child).await;
    assert_eq!(call.reads_reset().await, Reason::CANCEL);
    assert!(soon(child.wait()).await.unwrap().success());
}

#[tokio::test]
async fn one_line_a_call_is_logged() {
    let mut upstream = Upstream::start().await;
    let (mut child, gateway) = start(&upstream, &["--log", "json"]).await;
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut client = gateway.relay().await;
    let (id, mut call) = client.begins(&mut upstream).await;
    call.answers().send_trailers(ok()).unwrap();
    client.head(id).await;
    client.trailers(id).await;
    let line = soon(log.next_line()).await.unwrap().unwrap();
    for part in [
        "\"transport\":\"tidewire.v1\"",
        "/greet.GreetService/GreetStream",
        "\"end\":\"grpc-status 0\"",
        "\"ms\":",
    ] {
        assert!(line.contains(part), "{part} is not in {line}");
    }
}

#[tokio::test]
async fn wrong_settings_say_what_was_expected() {
    for (arguments, words) in [
        (&["--upstream", "localhost:1"][..], "expected http://host:port"),
        (&["--upstream", "http://a:1", "--allow-origin", "a"], "expected scheme://host"),
        (&["--upstream", "http://a:1", "--allow-header", "a b"], "not a header name"),
        (&["--upstream", "http://a:1", "--ping-interval", "0"], "more than 0"),
        (&[], "--upstream"),
    ] {
        let output = soon(command(arguments).output()).await.unwrap();
        assert!(!output.status.success());
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains(words), "{words:?} is not in {text:?}");
    }
}
