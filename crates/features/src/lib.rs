//! Twenty-five time-series features of a crash game's rounds
