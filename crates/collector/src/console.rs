//! The line on the console for each round.
