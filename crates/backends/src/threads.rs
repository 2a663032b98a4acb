//! Leaves the processors to the one pool: candle has threads of its own for sums of tensors, which spin while they wait and take
//! time from those that work.

/// Tells candle to work on the thread that asks. Call it before the first thread starts; a number that the environment
/// gives in `CANDLE_NUM_THREADS` stands.
#[allow(unsafe_code)]
pub fn leave_to_the_pool() {
    if std::env::var_os("CANDLE_NUM_THREADS").is_none() {
        // SAFETY: no other thread runs yet that could read the environment, which the caller promises.
        unsafe { std::env::set_var("CANDLE_NUM_THREADS", "1") }
    }
}
