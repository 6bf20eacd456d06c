//! A small client of the Chrome DevTools Protocol.
