//! Thread priorities: training yields to everything else.

/// Whether [`idle`] does anything.
pub(crate) const HAS_IDLE: bool = cfg!(target_os = "linux");

/// Gives this thread, and those it starts, the lowest priority. On Linux priorities belong to threads.
#[cfg(target_os = "linux")]
pub(crate) fn lower() {
    if let Err(error) = rustix::process::setpriority_process(None, 19) {
        tracing::debug!(%error, "This thread keeps the priority of the program.");
    }
}

/// Elsewhere the priority belongs to the whole process, which must stay responsive.
#[cfg(not(target_os = "linux"))]
pub(crate) fn lower() {}

/// Lets this thread run only on processors that are otherwise idle. A thread of the lowest priority
/// still delays another one that wakes up, by some milliseconds until the end of its time slice; an
/// idle thread is preempted at once (`SCHED_IDLE`, `sched(7)`).
#[cfg(target_os = "linux")]
pub(crate) fn idle() {
    use thread_priority::{
        NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
        set_thread_priority_and_policy, thread_native_id,
    };
    let policy = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    // The priority must be 0, the only one that this policy has; `Min` stands for it.
    let set = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, policy);
    if let Err(error) = set {
        tracing::debug!(?error, "A helper keeps the priority of the trainer.");
    }
}

/// Other systems have no such policy.
#[cfg(not(target_os = "linux"))]
pub(crate) fn idle() {}

/// Returns the number of idle processors, not counting the caller's; 0 where it is unknown.
pub(crate) fn processors_free() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let loadavg = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    running(&loadavg).map_or(0, |running| cores.saturating_sub(running))
}

/// Returns the number of runnable threads: the first half of the fourth field (`proc_loadavg(5)`).
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
        for malformed in ["", "0.20 0.18 0.12", "0.20 0.18 0.12 x/80", "0.20 0.18 0.12 380"] {
            assert_eq!(super::running(malformed), None, "{malformed}");
        }
    }

    #[test]
    fn only_the_calling_thread_becomes_idle() {
        let policy = std::thread::spawn(|| {
            super::idle();
            thread_schedule_policy()
        });
        let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
        assert_eq!(policy.join().unwrap(), Ok(idle));
        assert_ne!(thread_schedule_policy(), Ok(idle));
    }
}
