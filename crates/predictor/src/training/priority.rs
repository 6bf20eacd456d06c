//! Thread priorities: training yields to everything else.

/// Whether [`idle`] does anything.
pub(crate) const HAS_IDLE: bool = cfg!(target_os = "linux");

/// Gives this thread, and those it starts, the smallest share there is. On Linux the priority
/// belongs to the thread.
#[cfg(target_os = "linux")]
pub(crate) fn lower() {
    if let Err(error) = rustix::process::setpriority_process(None, 19) {
        tracing::debug!(%error, "This thread keeps the priority of the program.");
    }
}

/// Elsewhere it belongs to the whole process, which must stay quick.
#[cfg(not(target_os = "linux"))]
pub(crate) fn lower() {}

/// Has this thread run only where a processor has nothing else to do. A thread with the smallest
/// share still makes one that wakes up wait to the end of its turn, some milliseconds; one that is
/// idle gives way at once (`SCHED_IDLE`, `sched(7)`).
#[cfg(target_os = "linux")]
pub(crate) fn idle() {
    use thread_priority::{
        NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
        set_thread_priority_and_policy, thread_native_id,
    };
    let policy = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    // The priority must be 0, which is the least and the only one there is under this policy.
    let set = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, policy);
    if let Err(error) = set {
        tracing::debug!(?error, "A helper keeps the priority of the trainer.");
    }
}

/// Elsewhere there is nothing of the kind.
#[cfg(not(target_os = "linux"))]
pub(crate) fn idle() {}

/// Processors that have nothing to do now, while the caller is at work on one; 0 where the system
/// does not tell.
pub(crate) fn processors_free() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let told = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    running(&told).map_or(0, |running| cores.saturating_sub(running))
}

/// Threads that run or want to: the first half of the fourth field (`proc_loadavg(5)`).
fn running(loadavg: &str) -> Option<usize> {
    let (running, _) = loadavg.split_whitespace().nth(3)?.split_once('/')?;
    running.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use thread_priority::{
        NormalThreadSchedulePolicy, ThreadSchedulePolicy, thread_schedule_policy,
    };

    #[test]
    fn running_threads_are_read_from_the_fourth_field() {
        assert_eq!(super::running("0.20 0.18 0.12 3/80 11206\n"), Some(3));
        for strange in ["", "0.20 0.18 0.12", "0.20 0.18 0.12 x/80", "0.20 0.18 0.12 380"] {
            assert_eq!(super::running(strange), None, "{strange}");
        }
    }

    #[test]
    fn an_idle_thread_says_so_and_no_other_does() {
        let policy = std::thread::spawn(|| {
            super::idle();
            thread_schedule_policy()
        });
        let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
        assert_eq!(policy.join().unwrap(), Ok(idle));
        assert_ne!(thread_schedule_policy(), Ok(idle));
    }
}
