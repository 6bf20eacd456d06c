//! The dashboard of a running predictor in a real browser.

mod access;
mod appearance;
mod chrome;
mod live_updates;
mod plots;
mod program;
mod proxy;
mod states;
mod tables;

use chrome::{Screen, Tab, with_tab};
use program::Program;

/// The page of a predictor that has a model.
async fn open_trained(tab: &Tab) -> Program {
    let mut program = Program::start();
    program.append(40);
    tab.open(&program.address()).await;
    tab.sees("#ind-model[data-state='good']").await;
    tab.reads("for-round", "#41").await;
    program
}

/// One more round, until the page has its forecast.
async fn next_round(tab: &Tab, program: &mut Program) {
    program.append(1);
    tab.reads("for-round", &format!("#{}", program.rows() + 1)).await;
}
