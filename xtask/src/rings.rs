//! The rings of `cargo xtask test`: what each runs, and how its tests are counted.

use std::fs;
use std::path::{Path, PathBuf};

use crate::exec::{Error, Result, Run, doing};
use crate::report::Count;
use crate::toolchain::{self, TARGET};
use crate::{bench, conformance, interop, machine, package, peers, rust_web, say, servers, size, tools};

/// One line of the report.
pub(crate) struct Ring {
    pub(crate) name: &'static str,
    pub(crate) run: fn() -> Result<Count>,
}

/// In the order in which they run: what fails soonest first.
pub(crate) const RINGS: &[Ring] = &[
    Ring { name: "check format", run: || check(Run::new("cargo").words("fmt --all --check")) },
    Ring { name: "check clippy", run: clippy },
    Ring { name: "check clippy wasm", run: clippy_wasm },
    Ring { name: "check features", run: features },
    Ring { name: "check fuzz", run: fuzz },
    Ring { name: "native workspace", run: || cargo_test("--workspace") },
    Ring { name: "package", run: || package::build().map(|()| Count::check()) },
    Ring { name: "check typescript", run: typescript },
    Ring { name: "size", run: size },
    Ring { name: "bench instructions", run: bench::instructions },
    Ring { name: "peer dubbo-go", run: peer },
    Ring { name: "peer go", run: go_peers },
    Ring { name: "peer dubbo-java", run: dubbo_java },
    Ring { name: "wasm chromium", run: wasm },
    Ring { name: "js node", run: || js("node") },
    Ring { name: "js chromium", run: || js("chromium") },
    Ring { name: "js firefox", run: || js("firefox") },
    Ring { name: "js workerd", run: js_workerd },
    Ring { name: "js entries", run: js_entries },
    Ring { name: "rust check", run: rust_web::check },
    Ring { name: "rust node", run: || rust_web::ring("node") },
    Ring { name: "rust chromium", run: || rust_web::ring("chromium") },
    Ring { name: "rust firefox", run: || rust_web::ring("firefox") },
    Ring { name: "rust table", run: rust_web::table },
    Ring { name: "rust size", run: || rust_web::size("--check").map(|()| Count::check()) },
    Ring { name: "bench smoke", run: bench::smoke },
    Ring { name: "interop node", run: || interop::ring("node") },
    Ring { name: "interop chromium", run: || interop::ring("chromium") },
    Ring { name: "interop native", run: interop::native },
    Ring { name: "interop table", run: interop::check },
    Ring { name: "conformance browser chromium", run: || conformance::ring("browser", "chromium") },
    Ring { name: "conformance gateway chromium", run: || conformance::ring("gateway", "chromium") },
    Ring { name: "conformance gateway firefox", run: || conformance::ring("gateway", "firefox") },
    Ring { name: "conformance node node", run: || conformance::ring("node", "node") },
    Ring { name: "conformance text chromium", run: || conformance::ring("text", "chromium") },
    Ring { name: "conformance beyond chromium", run: || conformance::ring("beyond", "chromium") },
    Ring { name: "conformance rust-browser chromium", run: || conformance::ring("rust-browser", "chromium") },
    Ring { name: "conformance rust-gateway chromium", run: || conformance::ring("rust-gateway", "chromium") },
    Ring {
        name: "conformance beyond-gateway chromium",
        run: || conformance::ring("beyond-gateway", "chromium"),
    },
];

fn check(run: Run) -> Result<Count> {
    run.shown().map(|_| Count::check())
}

fn clippy() -> Result<Count> {
    check(Run::new("cargo").words("clippy --workspace --all-targets -- -D warnings"))
}

fn clippy_wasm() -> Result<Count> {
    let cargo = toolchain::wasm()?.cargo();
    let cargo = cargo
        .words("clippy --package tidewire --lib --test web --features js,tonic-web-wasm-client --target")
        .arg(TARGET);
    check(cargo.words("-- -D warnings"))
}

/// The crate with nothing that can be left out, with each of these alone, and with one face alone.
fn features() -> Result<Count> {
    let wasm = toolchain::wasm()?;
    let each = leavable()?.into_iter().map(|feature| format!("js,channel,{feature}"));
    for features in each.chain(["js", "channel", "channel,default"].map(str::to_owned)) {
        let cargo =
            wasm.cargo().words("clippy --quiet --package tidewire --lib --no-default-features --features");
        let cargo = cargo.arg(features).arg("--target").arg(TARGET);
        cargo.words("-- -D warnings").shown()?;
    }
    Ok(Count::check())
}

/// Cargo's own list, and none of it.
fn leavable() -> Result<Vec<String>> {
    let path = crate::root().join("Cargo.toml");
    let manifest = doing("cannot read Cargo.toml", fs::read_to_string(path))?;
    let list = manifest.split_once("\ndefault = [").and_then(|(_, rest)| rest.split_once(']'));
    let Some((list, _)) = list else {
        return Err(Error::failed("Cargo.toml has no list of default features".to_owned()));
    };
    let names = list.split(',').map(|name| name.trim().trim_matches('"').to_owned());
    // What follows the last comma is the build with nothing.
    Ok(names.collect())
}

/// That the fuzz targets compile; without the fuzzer itself, which is C++ and of no use to that.
fn fuzz() -> Result<Count> {
    let cargo = |words: &str| check(Run::new("cargo").words(words).dir(crate::root().join("fuzz")));
    cargo("fmt --check")?;
    cargo("check --locked --no-default-features")
}

fn cargo_test(what: &str) -> Result<Count> {
    counted(Run::new("cargo").words("test --no-fail-fast").words(what), cargo_count)
}

fn typescript() -> Result<Count> {
    package::build()?;
    check(Run::new("npm").words("run --silent check").dir(crate::root().join("pkg-config")))
}

fn size() -> Result<Count> {
    package::build()?;
    size::check().map(|()| Count::check())
}

/// The greeter on each version of dubbo-go: what it is to do, and what each does otherwise.
fn peer() -> Result<Count> {
    let folder = peers::dubbo_go_folder();
    go_format(&folder)?;
    let mut all = Count::default();
    for (module, tags) in peers::dubbo_go_versions() {
        say(format_args!("go vet and go test with {module}"));
        let go = |word| {
            let go = machine::go(&folder, module)?.limit_secs(1200);
            Ok::<_, Error>(go.arg(word).arg("-modfile").arg(module).arg("-tags").arg(tags))
        };
        go("vet")?.arg("./...").shown()?;
        let Count { passed, failed, why } = counted(go("test")?.words("-count=1 -v ./..."), go_count)?;
        all = Count { why: why.or(all.why), ..all }.plus(passed, failed);
    }
    Ok(all)
}

/// The others in Go, of which the example alone has tests of its own: the table runs the rest.
fn go_peers() -> Result<Count> {
    let peers =
        ["greeter", "grpc-go", "grpcwebproxy", "connect-go"].map(|name| format!("tests/peers/{name}"));
    let example = "examples/dubbo-go-in-process";
    for folder in peers.iter().map(String::as_str).chain([example]) {
        let folder = crate::root().join(folder);
        go_format(&folder)?;
        machine::go(&folder, "go.mod")?.words("vet ./...").limit_secs(1200).shown()?;
    }
    let go = machine::go(&crate::root().join(example), "go.mod")?;
    counted(go.words("test -count=1 -v ./...").limit_secs(1200), go_count)
}

fn go_format(folder: &Path) -> Result<()> {
    let unformatted = Run::new("gofmt").words("-l .").dir(folder).quiet()?;
    if unformatted.trim().is_empty() {
        return Ok(());
    }
    Err(Error::failed(format!("gofmt would change:\n{unformatted}")))
}

/// What dubbo-java does, on bare HTTP and with the package.
fn dubbo_java() -> Result<Count> {
    let jar = peers::named(peers::DUBBO_JAVA)?.program()?;
    tools::npm("tests/js")?;
    tools::npm("examples/dubbo-java-hessian2")?;
    package::build()?;
    Run::new("cargo").words("build --package tidewire-gateway").shown()?;
    let gateway = crate::target_folder().join("debug/tidewire-gateway");
    let run = Run::new("node").words("--test --test-reporter=tap differences.test.mjs client.test.mjs");
    let run = run.env("DUBBO_JAVA_PEER", jar.last_arg()).env("TIDEWIRE_GATEWAY", gateway);
    let run = run.env("CHROME", machine::chromium()?).dir(crate::root().join("tests/peers/dubbo-java"));
    counted(run.limit_secs(300), node_count)
}

fn wasm() -> Result<Count> {
    let (wasm, pack, bindgen) = (toolchain::wasm()?, tools::wasm_pack()?, tools::wasm_bindgen()?);
    let (chromium, driver) = (machine::chromium()?, machine::chromedriver()?);
    let run = wasm.command("wasm-pack", &[pack, bindgen]).words("test --headless --chrome --chromedriver");
    let run = run.arg(driver).words("-- --features js,tonic-web-wasm-client --lib --test web");
    let run = run.env("RUST_BACKTRACE", "0"); // that of the runner, which would bury the test's own
    // Twenty seconds are few for a machine that has other things to do.
    let run = run.env("WASM_BINDGEN_TEST_TIMEOUT", "240");
    counted(
        run.env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", webdriver_json(&chromium)?).limit_secs(1200),
        cargo_count,
    )
}

/// The repository's webdriver.json with this machine's browser in it.
fn webdriver_json(chromium: &Path) -> Result<PathBuf> {
    let ours = crate::root().join("webdriver.json");
    let text = doing("cannot read webdriver.json", fs::read_to_string(ours))?;
    let text = text.replace("/usr/bin/chromium", &chromium.display().to_string());
    let path = crate::target_folder().join("webdriver.json");
    doing("cannot write target/webdriver.json", fs::write(&path, text))?;
    Ok(path)
}

/// The browser of a target, by the variable that the tests read.
pub(crate) fn browser(target: &str) -> Result<Option<(&'static str, PathBuf)>> {
    Ok(match target {
        "chromium" => Some(("CHROME", machine::chromium()?)),
        "firefox" => Some(("FIREFOX", machine::firefox()?)),
        _ => None,
    })
}

/// The same scenarios in each runtime, against both servers.
fn js(target: &str) -> Result<Count> {
    let browser = browser(target)?;
    package::build()?;
    tools::npm("tests/js")?;
    servers::build_demo()?;
    let demo = servers::test_demo(servers::dubbo_go()?)?;
    if target == "node" {
        // Examples as they stand in the documents.
        for (server, document) in [("tonic", "README.md"), ("dubbo-go", "docs/migrating-from-dubbo-go.md")] {
            let base = format!("{}/{server}", demo.origin);
            let run = Run::new("node").arg(crate::root().join("docs/run-example.mjs"));
            run.arg(base).arg(document).shown()?;
        }
    }
    counted(demo.script("run.mjs", target).envs(browser), js_count)
}

/// What needs neither a page nor a process, in Cloudflare's runtime.
fn js_workerd() -> Result<Count> {
    let demo = tonic_demo()?;
    counted(demo.script("run.mjs", "workerd").words("--only tonic"), js_count)
}

/// The package's entries, each as its users load it.
fn js_entries() -> Result<Count> {
    let demo = tonic_demo()?;
    let run = Run::new("node").words("--test --test-reporter=tap entries.test.mjs packed.test.mjs");
    let run = run.env("DEMO", &demo.origin);
    let run = run.env("CHROME", machine::chromium()?).dir(crate::root().join("tests/js"));
    counted(run.limit_secs(300), node_count)
}

/// The demo server before no other.
fn tonic_demo() -> Result<servers::Demo> {
    package::build()?;
    tools::npm("tests/js")?;
    servers::build_demo()?;
    servers::test_demo(Vec::new())
}

/// Runs and counts, whether it ends well or not. A ring that ran nothing has failed, and one whose command failed
/// without a failed test (it did not compile, say) counts as one failure.
pub(crate) fn counted(run: Run, count: fn(&str) -> Count) -> Result<Count> {
    let command = run.to_string();
    let (output, error) = run.shown_anyway()?;
    let mut count = count(&output);
    if let Some(error) = error {
        count.failed = count.failed.max(1);
        count.why = Some(error.to_string());
    } else if count.passed == 0 {
        return Err(Error::failed(format!("`{command}` ran no test")));
    }
    Ok(count)
}

/// `test result: ok. 12 passed; 0 failed; …`, once per test binary; wasm-bindgen's runner prints the same.
fn cargo_count(output: &str) -> Count {
    let lines = output.lines().filter_map(|line| line.trim_start().strip_prefix("test result: "));
    lines.fold(Count::default(), |count, line| {
        count.plus(number_before(line, " passed"), number_before(line, " failed"))
    })
}

/// `--- PASS: TestName`; subtests are indented and counted with the test that holds them.
/// Node's own runner, as it closes a TAP report.
fn node_count(output: &str) -> Count {
    let number = |word: &str| {
        let line = output.lines().find_map(|line| line.strip_prefix(word));
        line.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
    };
    Count::default().plus(number("# pass "), number("# fail "))
}

fn go_count(output: &str) -> Count {
    let lines = |start| output.lines().filter(|line| line.starts_with(start)).count();
    Count::default().plus(lines("--- PASS: "), lines("--- FAIL: "))
}

/// The last line: `12 passed, 0 failed`.
pub(crate) fn js_count(output: &str) -> Count {
    let last = output.lines().rev().find(|line| line.ends_with(" failed")).unwrap_or_default();
    Count::default().plus(number_before(last, " passed"), number_before(last, " failed"))
}

/// The number before a word: 12 in `12 passed`.
pub(crate) fn number_before(line: &str, word: &str) -> usize {
    let number = line.split_once(word).and_then(|(before, _)| before.split_whitespace().last());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_counted_over_all_binaries() {
        let output = "test result: ok. 12 passed; 0 failed; 1 ignored\n\
                      test result: FAILED. 3 passed; 2 failed; 0 ignored\n";
        assert_eq!(cargo_count(output), Count::default().plus(15, 2));
    }

    #[test]
    fn go_subtests_are_not_counted_twice() {
        let output = "=== RUN   TestA\n    --- PASS: TestA/one (0.00s)\n--- PASS: TestA (0.00s)\n--- FAIL: TestB (0.1s)\n";
        assert_eq!(go_count(output), Count::default().plus(1, 1));
    }

    #[test]
    fn the_closing_lines_of_nodes_own_runner_are_read() {
        let output = "ok 1 - a\n# tests 4\n# suites 0\n# pass 3\n# fail 1\n# cancelled 0\n";
        assert_eq!(node_count(output), Count::default().plus(3, 1));
    }

    #[test]
    fn the_scenarios_closing_line_is_read() {
        assert_eq!(
            js_count("ok a\nnot ok b\n# failed: b\n41 passed, 1 failed\n"),
            Count::default().plus(41, 1)
        );
        assert_eq!(js_count("crashed"), Count::default());
    }

    #[test]
    fn a_failing_command_without_a_failed_test_is_a_failure() {
        let count =
            counted(Run::new("sh").arg("-c").arg("echo 3 passed, 0 failed; exit 1"), js_count).unwrap();
        assert_eq!((count.passed, count.failed), (3, 1));
        assert!(counted(Run::new("true"), js_count).is_err(), "nothing ran");
    }
}
