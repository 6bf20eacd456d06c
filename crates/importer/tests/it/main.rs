//! Recordings of every shape, read as they are or refused with the command that would read them.

mod dialects;
mod fixtures;
mod shapes;
mod tables;
mod writing;
