//! Honest evaluation of a next-round forecast: scores, sequential tests, intervals, audit
