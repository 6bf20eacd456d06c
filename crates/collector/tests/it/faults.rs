//! Whatever the page does, every visible round is written once, and a discontinuity is recorded where rounds were not visible.

use crate::game::{Counts, FaultPlan, run};

const CALM: FaultPlan = FaultPlan {
    rounds: 6_000,
    seed: 1,
    reload: 0.0,
    outage: 0.0,
    restart: 0.0,
    switch: 0.0,
    double: 0.0,
    has_frames: false,
};

#[track_caller]
fn check(plan: &FaultPlan) -> Counts {
    let dir = tempfile::tempdir().unwrap();
    let counts = run(plan, dir.path());
    let faults = [counts.duplicates, counts.false_rows, counts.unmarked, counts.file_differences];
    assert_eq!(faults, [0; 4], "{plan:?}\n{counts}");
    let missing = counts.played - counts.written;
    assert!(counts.written > plan.rounds / 2, "{counts}");
    assert!(missing == 0 || counts.gaps + counts.weak + counts.resets > 0, "{counts}");
    counts
}

#[test]
fn without_faults_nothing_is_missing_while_the_naive_rule_loses_equal_neighbours() {
    let counts = check(&CALM);
    assert_eq!(counts.written, counts.played);
    assert!(counts.naive_missing > 0, "{counts}");
}

#[test]
fn reloads_lose_nothing() {
    let counts = check(&FaultPlan { reload: 0.002, double: 0.001, ..CALM });
    assert_eq!(counts.written, counts.played, "{counts}");
    assert!(counts.naive_false > 0, "{counts}");
}

#[test]
fn outages_lose_only_what_scrolled_off_and_record_a_gap() {
    let counts = check(&FaultPlan { reload: 0.001, outage: 0.001, ..CALM });
    assert_eq!(counts.written + counts.marked, counts.played, "{counts}");
    assert_eq!(counts.seen_twice_but_missing, counts.lookalikes + counts.in_pieces, "{counts}");
}

#[test]
fn all_faults_together_write_no_false_row() {
    for seed in 1..=4 {
        let faults =
            FaultPlan { reload: 0.002, outage: 0.001, restart: 0.0003, switch: 0.0003, ..CALM };
        let counts = check(&FaultPlan { seed, double: 0.001, ..faults });
        assert_eq!(counts.seen_twice_but_missing, counts.lookalikes + counts.in_pieces, "{counts}");
    }
}

#[test]
fn frames_beside_the_list_write_no_round_twice() {
    for seed in 1..=4 {
        let faults =
            FaultPlan { reload: 0.002, outage: 0.001, restart: 0.0003, switch: 0.0003, ..CALM };
        let counts = check(&FaultPlan { seed, has_frames: true, ..faults });
        assert_eq!(counts.seen_twice_but_missing, counts.lookalikes + counts.in_pieces, "{counts}");
    }
}
