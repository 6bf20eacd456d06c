//! The rounds on their way to the disk.
