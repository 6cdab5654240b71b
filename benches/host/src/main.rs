//! One case, once to warm up and once to be counted, which is what happens below `counted`. Without a name: the cases, with
//! the number of messages of each and their bytes.
#![forbid(unsafe_code)]

use std::hint::black_box;
use std::process::ExitCode;

use tidewire_bench_host::{CASES, Run};

fn main() -> ExitCode {
    let Some(name) = std::env::args().nth(1) else {
        CASES.iter().for_each(|case| println!("{} {} {}", case.name, case.messages, case.size));
        return ExitCode::SUCCESS;
    };
    let Some(case) = CASES.iter().find(|case| case.name == name) else {
        eprintln!("there is no case {name}");
        return ExitCode::FAILURE;
    };
    let mut run = (case.prepare)(case);
    let seen = [run(), counted(&mut run)];
    if seen != [case.messages; 2] {
        eprintln!("{name} moves {} messages, {seen:?} came through", case.messages);
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// valgrind knows it by its name, and counts from its first instruction to its last.
#[inline(never)]
fn counted(run: &mut Run) -> usize {
    // Held, so that it is no tail call, which would leave this function at once.
    black_box(run())
}
