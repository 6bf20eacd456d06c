//! Rounds of a crash game and the files they are kept in
