//! Features of the group momentum: how the last rounds differ from those before them.

use crate::statistics::mean;
use crate::window::Window;

/// Keeps the rate of change finite when both means are 0.
const ROC_FLOOR: f64 = 0.1;

pub(crate) fn mom_3(window: &Window<'_>) -> f64 {
    change(window, 3)
}

pub(crate) fn mom_5(window: &Window<'_>) -> f64 {
    change(window, 5)
}

pub(crate) fn mom_10(window: &Window<'_>) -> f64 {
    change(window, 10)
}

pub(crate) fn roc_5(window: &Window<'_>) -> f64 {
    let values = window.last(10);
    if values.len() < 10 {
        return 0.0;
    }
    let (earlier, later) = values.split_at(5);
    let (earlier, later) = (mean(earlier), mean(later));
    (later - earlier) / (later + earlier + ROC_FLOOR)
}

/// Returns the newest value less the one `rounds` before it; 0 while the history is too short.
fn change(window: &Window<'_>, rounds: usize) -> f64 {
    window.before_latest(rounds).map_or(0.0, |earlier| window.latest() - earlier)
}
