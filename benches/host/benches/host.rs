//! `cargo bench --package tidewire-bench-host [-- CASE]`

use criterion::{Criterion, Throughput};
use tidewire_bench_host::CASES;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("host");
    for case in CASES {
        let mut run = (case.prepare)(case);
        group.throughput(Throughput::Elements(case.messages as u64));
        group.bench_function(case.name, |bencher| bencher.iter(&mut run));
    }
    group.finish();
    criterion.final_summary();
}
