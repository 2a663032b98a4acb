//! Does numbered jobs on several threads and hands the results out in the order of the numbers,
//! without ever holding more of them than allowed.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

/// How many results may wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Jobs begun or done and not yet taken.
    pub jobs: u64,
    /// Bytes of results not yet taken. One job is always allowed, however large its result.
    pub bytes: Option<u64>,
}

struct Board<T> {
    /// Number of the next job to be begun.
    next: u64,
    /// Number of the next result to be taken.
    taken: u64,
    end: u64,
    closed: bool,
    ready: BTreeMap<u64, (T, u64)>,
    ready_bytes: u64,
    /// The largest result so far: what a job that is under way is expected to need.
    largest: u64,
}

impl<T> Board<T> {
    fn has_room(&self, bounds: Bounds) -> bool {
        let waiting = self.next - self.taken;
        // The job whose result is wanted next is always allowed: there is no deadlock.
        if waiting == 0 {
            return true;
        }
        let under_way = waiting - self.ready.len() as u64;
        let expected = (under_way + 1).saturating_mul(self.largest).saturating_add(self.ready_bytes);
        waiting < bounds.jobs && bounds.bytes.is_none_or(|cap| self.largest > 0 && expected <= cap)
    }
}

struct Shared<T> {
    board: Mutex<Board<T>>,
    room: Condvar,
    news: Condvar,
    bounds: Bounds,
}

impl<T> Shared<T> {
    fn board(&self) -> MutexGuard<'_, Board<T>> {
        // Nothing that can panic runs under the lock.
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        self.board().closed = true;
        self.room.notify_all();
        self.news.notify_all();
    }
}

/// Closes the queue when its thread ends by a panic, so that nobody waits for it.
struct Alarm<'a, T>(&'a Shared<T>);

impl<T> Drop for Alarm<'_, T> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.close();
        }
    }
}

/// The work of a job, and the number of bytes of its result.
pub(crate) type Work<T> = dyn Fn(u64) -> (T, u64) + Send + Sync;

/// A running queue; its threads end when it is dropped.
pub(crate) struct Queue<T> {
    shared: Arc<Shared<T>>,
    work: Arc<Work<T>>,
    threads: Vec<JoinHandle<()>>,
}

impl<T: Send + 'static> Queue<T> {
    /// Starts the jobs of the given numbers; without workers each is done when its result is asked for.
    pub fn start(jobs: std::ops::Range<u64>, workers: usize, bounds: Bounds, work: Arc<Work<T>>) -> Self {
        let board = Board {
            next: jobs.start,
            taken: jobs.start,
            end: jobs.end,
            closed: false,
            ready: BTreeMap::new(),
            ready_bytes: 0,
            largest: 0,
        };
        let shared = Arc::new(Shared { board: Mutex::new(board), room: Condvar::new(), news: Condvar::new(), bounds });
        let workers = workers.min(usize::try_from(jobs.end.saturating_sub(jobs.start)).unwrap_or(usize::MAX));
        // A system that has no thread left for us gets fewer workers, at worst none.
        let threads = (0..workers).map_while(|i| {
            let (shared, work) = (Arc::clone(&shared), Arc::clone(&work));
            thread::Builder::new().name(format!("data-{i}")).spawn(move || run(&shared, &*work)).ok()
        });
        let threads = threads.collect();
        Self { shared, work, threads }
    }

    /// The result of the next job; none after the last, or when a worker has died.
    pub fn next(&mut self) -> Option<T> {
        let mut board = self.shared.board();
        if self.threads.is_empty() {
            if board.taken == board.end || board.closed {
                return None;
            }
            let job = board.taken;
            board.taken += 1;
            drop(board);
            return Some((self.work)(job).0);
        }
        loop {
            let wanted = board.taken;
            if let Some((result, bytes)) = board.ready.remove(&wanted) {
                board.taken += 1;
                board.ready_bytes -= bytes;
                self.shared.room.notify_all();
                return Some(result);
            }
            if wanted == board.end || board.closed {
                return None;
            }
            board = self.shared.news.wait(board).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<T> Drop for Queue<T> {
    fn drop(&mut self) {
        self.shared.close();
        for thread in self.threads.drain(..) {
            // A worker that panicked has been noticed by `next`.
            let _ = thread.join();
        }
    }
}

fn run<T>(shared: &Shared<T>, work: &Work<T>) {
    let _alarm = Alarm(shared);
    loop {
        let job = {
            let mut board = shared.board();
            while !board.closed && board.next < board.end && !board.has_room(shared.bounds) {
                board = shared.room.wait(board).unwrap_or_else(PoisonError::into_inner);
            }
            if board.closed || board.next >= board.end {
                return;
            }
            board.next += 1;
            board.next - 1
        };
        let (result, bytes) = work(job);
        let mut board = shared.board();
        board.largest = board.largest.max(bytes).max(1);
        board.ready_bytes += bytes;
        board.ready.insert(job, (result, bytes));
        shared.news.notify_one();
        // What it needed is now known, and may be less than was kept free for it.
        shared.room.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    fn drain<T: Send + 'static>(mut queue: Queue<T>) -> Vec<T> {
        std::iter::from_fn(|| queue.next()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn results_come_in_order_for_any_number_of_workers_and_bounds(
            start in 0u64..5, n in 0u64..60, workers in 0usize..6, jobs in 1u64..10,
            bytes in prop::option::of(0u64..40),
        ) {
            let work: Arc<Work<u64>> = Arc::new(|job| (job * job, job % 7));
            let queue = Queue::start(start..start + n, workers, Bounds { jobs, bytes }, work);
            prop_assert_eq!(drain(queue), (start..start + n).map(|j| j * j).collect::<Vec<_>>());
        }
    }

    #[test]
    fn no_more_than_the_cap_waits() {
        let made = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&made);
        let work: Arc<Work<()>> = Arc::new(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            ((), 100)
        });
        let mut queue = Queue::start(0..1000, 4, Bounds { jobs: 500, bytes: Some(350) }, work);
        for taken in 1..=20 {
            assert!(queue.next().is_some());
            thread::sleep(Duration::from_millis(2));
            assert!(made.load(Ordering::SeqCst) <= taken + 3, "three results of 100 bytes fit in 350");
        }
    }

    #[test]
    fn dropping_a_queue_ends_its_threads() {
        let alive = Arc::new(());
        let held = Arc::clone(&alive);
        let work: Arc<Work<()>> = Arc::new(move |_| {
            let _held = &held;
            ((), 1)
        });
        let mut queue = Queue::start(0..u64::MAX, 4, Bounds { jobs: 8, bytes: None }, work);
        assert!(queue.next().is_some());
        drop(queue);
        assert_eq!(Arc::strong_count(&alive), 1, "the work, and the threads that had it, are gone");
    }

    #[test]
    fn a_dying_worker_ends_the_queue_and_hangs_nobody() {
        let work: Arc<Work<u64>> = Arc::new(|job| if job == 5 { panic!("meant to die") } else { (job, 1) });
        let results = drain(Queue::start(0..100, 3, Bounds { jobs: 8, bytes: None }, work));
        assert!(results.len() <= 5);
    }
}
