//! When the process is asked to stop.
