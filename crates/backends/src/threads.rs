//! Keeps candle's threads out of the way: it has a pool of its own beside ours, and takes its size and its manners from
//! the environment alone.

/// Rounds that one of candle's threads waits for the next operation before it sleeps. Its own 25,000 are half a
/// millisecond for which it holds a core that our threads are waiting for.
const PATIENCE: &str = "200";

/// Gives candle's pool the number of threads that this program was told to take, and little patience; what the
/// environment says of candle's pool itself stays as it is. Call it once, before the first thread starts.
pub fn settle() {
    let threads = std::env::var("PLEACH_THREADS").ok().filter(|n| n.parse::<usize>().is_ok_and(|n| n > 0));
    let all = [("CANDLE_NUM_THREADS", threads.as_deref()), ("CANDLE_BARRIER_POOL_SPIN_LIMIT", Some(PATIENCE))];
    for (key, value) in all {
        if let Some(value) = value
            && std::env::var_os(key).is_none()
        {
            // SAFETY: no other thread runs yet that could read the environment at the same time.
            #[allow(unsafe_code)]
            unsafe {
                std::env::set_var(key, value);
            }
        }
    }
}
