//! Records every round of a crash game, each exactly once
