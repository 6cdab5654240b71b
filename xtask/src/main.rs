//! One word per task.
fn main() {}
