//! Multipliers out of what a page shows.
