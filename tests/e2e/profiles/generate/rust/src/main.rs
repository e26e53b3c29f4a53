//! CPU profile of a small Rust program: cargo run --release -- ../..
use pprof::protos::Message;
use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant};

fn count_words(text: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for word in text.split_whitespace() {
        *counts.entry(word.to_lowercase()).or_insert(0) += 1;
    }
    counts
}

fn fibonacci(n: u64) -> u64 {
    if n < 2 { n } else { fibonacci(n - 1) + fibonacci(n - 2) }
}

fn main() {
    let dir = std::env::args().nth(1).expect("directory");
    let guard = pprof::ProfilerGuardBuilder::default().frequency(250).build().expect("profiler");
    let text = "the quick brown fox jumps over the lazy dog ".repeat(200);
    let end = Instant::now() + Duration::from_millis(1500);
    let mut sum = 0;
    while Instant::now() < end {
        sum += count_words(&text).len() as u64 + fibonacci(20);
    }
    let profile = guard.report().build().expect("report").pprof().expect("pprof");
    let mut bytes = Vec::new();
    profile.write_to_vec(&mut bytes).expect("encode");
    std::fs::write(format!("{dir}/rust-cpu.pb"), &bytes).expect("write");
    let file = std::fs::File::create(format!("{dir}/rust-cpu-gz.pb.gz")).expect("create");
    let mut gz = flate2::write::GzEncoder::new(file, flate2::Compression::default());
    gz.write_all(&bytes).expect("gzip");
    println!("{sum}");
}
