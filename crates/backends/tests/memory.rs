//! Memory as a program has it that asks for it before its first thread: what is freed stays, in large pages.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn main() {
    pleach_backends::memory::keep();
    println!("blocks lie in large pages and are found again");
    blocks_lie_in_large_pages_and_are_found_again();
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn main() {
    println!("skipped: memory is kept where the C library is glibc");
}

/// Size of this process's memory under a heading, KiB.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn size(heading: &str) -> u64 {
    let all = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap();
    let line = all.lines().find_map(|line| line.strip_prefix(heading)).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn blocks_lie_in_large_pages_and_are_found_again() {
    const WEIGHTS: usize = 64 << 20;
    let taken = size("Rss:");
    assert!(taken < 64 << 10, "{taken} KiB are in use before the first weight");
    let weights = vec![1f32; WEIGHTS];
    let address = weights.as_ptr();
    drop(weights);
    let weights = vec![2f32; WEIGHTS];
    assert_eq!(weights.as_ptr(), address, "a block of the same size is another one");
    let on_a_thread = std::thread::spawn(|| vec![3f32; WEIGHTS]).join().unwrap();
    assert_eq!(on_a_thread[WEIGHTS / 2], 3.0);

    let lent = std::fs::read_to_string("/proc/sys/vm/overcommit_memory").unwrap();
    if !std::path::Path::new("/sys/kernel/mm/transparent_hugepage").exists() || lent.trim() == "2" {
        println!("skipped: this system has no large pages to ask for, or no addresses to spare");
        return;
    }
    // Its first bytes may lie before the first large page.
    let inside = address as u64 + (4 << 20);
    assert!(flags(inside).contains(&"hg".to_owned()), "the weights lie where nobody asked for large pages");
}

/// What the system was told of the part of memory where an address lies.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn flags(address: u64) -> Vec<String> {
    let all = std::fs::read_to_string("/proc/self/smaps").unwrap();
    let mut within = false;
    for line in all.lines() {
        let range = line.split(' ').next().and_then(|range| range.split_once('-'));
        if let Some((Ok(from), Ok(to))) = range.map(|(a, b)| (u64::from_str_radix(a, 16), u64::from_str_radix(b, 16))) {
            within = (from..to).contains(&address);
        }
        if let (true, Some(flags)) = (within, line.strip_prefix("VmFlags:")) {
            return flags.split_whitespace().map(str::to_owned).collect();
        }
    }
    Vec::new()
}
